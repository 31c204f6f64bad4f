#pragma once
// Ends a run that passes its deadline, and leaves in the trace what was known of it: its last records, what
// every thread was doing, and whether the process had had its share of the machine at all.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <thread>

#include "conformance/players/recorder.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

/// A thread that sleeps: it looks twice a second at a run that takes so long, and at nothing else. Made on
/// the thread that plays, which it stops before it reads the records.
class Watchdog {
 public:
  explicit Watchdog(Recorder& recorder);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// A run begins; `disarm` must be called before `deadline` is over, or the process dies by SIGALRM.
  void arm(Nanos deadline);
  void disarm();

 private:
  void watch();
  void look();
  [[noreturn]] void expire();
  bool sleep_until(Nanos time);  ///< false: the player is done

  Recorder& recorder_;
  pthread_t player_;
  std::atomic<int64_t> begun_ns_{0};  ///< of the run that is armed; 0 = none
  std::atomic<int64_t> deadline_ns_{0};
  // Of the run that is looked at; the thread's own.
  int64_t run_ns_ = 0;
  Nanos next_look_{0}, lost_{0}, cpu_{0}, waited_{0};
  bool measured_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace tickmark::conformance
