#pragma once
// A subject serves until its stdin closes or it gets SIGTERM. One sleeping thread waits for both and calls
// back, so that no architecture has to put its stdin into the loop under test.

#include <functional>
#include <thread>

#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark::subject {

class StopWatcher {
 public:
  /// How long a subject may take from the call to `on_stop` to the watcher's destruction.
  static constexpr Nanos kGrace = 1700ms;

  /// Watches `fd` (borrowed) for its end, what arrives on it is thrown away; with `signals` also SIGTERM and
  /// SIGINT, which block_stop_signals() must have blocked. Then calls `on_stop` once, on its own thread, and
  /// `on_overdue` if it still exists kGrace later. Start it after every fork.
  StopWatcher(int fd, bool signals, std::function<void()> on_stop,
              std::function<void()> on_overdue = nullptr);
  ~StopWatcher();
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

 private:
  bool wait_for_stop(int fd);
  bool wait_for_destruction(Nanos deadline);

  UniqueFd signals_;
  UniqueFd cancel_;
  std::function<void()> on_stop_, on_overdue_;
  std::thread thread_;
};

/// Blocks SIGTERM and SIGINT in this thread and all it will start, and ignores SIGPIPE.
void block_stop_signals();

}  // namespace tickmark::subject
