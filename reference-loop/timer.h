// A timer: one callback when its time has come, again every `repeat` if that is not zero.
//
// Due = the loop's cached time at start + timeout. It never fires earlier; how much later depends on
// what the loop is doing. Due timers fire by (due, order of starting).
#pragma once

#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Timer : public Handle {
 public:
  using Callback = void (*)(Timer&);

  explicit Timer(Loop& loop) : Handle(loop, Kind::timer) {}
  ~Timer() override { stop(); }

  // Restarts an active timer, behind others that are due at the same time. Zero: in the next timers pass.
  // Negative timeouts count as zero, sums saturate. Error::bad_state once closing.
  Result<void> start(Callback callback, Nanos timeout, Nanos repeat = Nanos{0});
  // Idempotent. A timer that is already due, but has not fired, does not fire.
  void stop();
  // Restarts a repeating timer with its repeat as timeout. Error::bad_state if it was never started.
  Result<void> again();

  // Changed inside the callback, it counts from the firing after next: the next is already armed.
  void set_repeat(Nanos repeat) { repeat_ = repeat; }
  Nanos repeat() const { return repeat_; }
  Nanos due() const { return due_; }  // of the last start

 private:
  friend class Loop;
  friend class TimerHeap;

  void begin_close() override { stop(); }
  void arm(Nanos timeout);
  void leave_heap();
  void fire();

  Callback callback_ = nullptr;
  Nanos due_{};
  Nanos repeat_{};
  std::size_t heap_index_ = TimerHeap::kNoIndex;
};

}  // namespace refloop
