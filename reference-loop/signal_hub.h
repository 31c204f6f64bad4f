// Catches signals for one loop: from a handler that may run on any thread, at any moment, to the handles of
// this loop in its poll phase. Made with the loop's first Signal; see signal.h for the promises.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "reference-loop/backend.h"
#include "reference-loop/error.h"
#include "reference-loop/intrusive_list.h"
#include "reference-loop/signal.h"
#include "reference-loop/socket.h"

namespace refloop {

struct SignalSink;

class SignalHub {
 public:
  static constexpr int kSignalsMax = 64;

  static Result<std::unique_ptr<SignalHub>> create(Loop& loop);
  ~SignalHub();
  SignalHub(const SignalHub&) = delete;
  SignalHub& operator=(const SignalHub&) = delete;

  // In a forked child: puts every signal back that the parent's handles watch.
  static void leave_to_parent();

  Result<void> add(Signal& signal);
  void remove(Signal& signal);

 private:
  struct Watch : FdWatch {
    SignalHub* hub = nullptr;
  };

  explicit SignalHub(Loop& loop) : loop_(loop) {}
  void dispatch();

  Loop& loop_;
  Watch watch_;
  Socket wake_;                 // an eventfd, written by the handler
  SignalSink* sink_ = nullptr;  // what the handler knows of this loop
  IntrusiveList<Signal> signals_;
  std::array<std::uint32_t, kSignalsMax + 1> watching_{};  // handles per number
};

}  // namespace refloop
