#include "reference-loop/timer.h"

#include <algorithm>

namespace refloop {

Result<void> Timer::start(Callback callback, Nanos timeout, Nanos repeat) {
  if (is_closing() || !callback) return failure(Error::bad_state);
  callback_ = callback;
  repeat_ = repeat;
  arm(timeout);
  return {};
}

void Timer::leave_heap() {
  if (heap_index_ != TimerHeap::kNoIndex) loop_.timers_.remove(*this);
}

void Timer::arm(Nanos timeout) {
  leave_heap();
  const Nanos base = loop_.now();
  const Nanos kTooLong = is_mutant(Mutant::timeout_wraps) ? Nanos{0} : Nanos::max();
  due_ = timeout > Nanos::max() - base ? kTooLong : base + std::max(timeout, Nanos{0});
  loop_.timers_.insert(*this, due_);
  activate();
  if (kind_ != Kind::none) loop_.trace_schedule(kind_, tag_, due_);
}

void Timer::stop() {
  if (is_mutant(Mutant::stopped_sibling_timer_runs) && loop_.timers_.is_in_pass(*this) && !is_closing())
    return;
  leave_heap();
  deactivate();
}

Result<void> Timer::again() {
  if (is_closing() || !callback_) return failure(Error::bad_state);
  if (repeat_ > Nanos{0}) arm(repeat_);
  return {};
}

// Re-armed before the callback, from the time of this pass: the period includes the callback, slips
// with lateness, and never bursts to catch up.
void Timer::fire() {
  const TraceTag tag = tag_;
  const Nanos due = due_;
  if (repeat_ > Nanos{0} && is_mutant(Mutant::repeat_catches_up))
    loop_.timers_.insert(*this, due_ += repeat_);
  else if (repeat_ > Nanos{0} && !is_mutant(Mutant::repeat_armed_after_callback))
    arm(repeat_);
  else if (repeat_ == Nanos{0})
    deactivate();
  loop_.invoke(
      kind_, tag, [this] { callback_(*this); }, due);
  if (is_mutant(Mutant::repeat_armed_after_callback) && is_active() && heap_index_ == TimerHeap::kNoIndex) {
    loop_.update_time();
    arm(repeat_);
  }
}

// A timer started by a callback of this pass waits for the next, even if it is due; the clock of the pass
// stands still, even if a callback updates that of the loop.
void Loop::run_timers() {
  enter(Phase::timers);
  timers_.begin_pass(now_ + Nanos{is_mutant(Mutant::timer_early) ? 2'000'000 : 0});
  for (int fired = 0; Timer* timer = timers_.next_of_pass(); ++fired) {
    timer->fire();
    // Bounded, or no mutant player would end.
    if (is_mutant(Mutant::timers_without_snapshot) && fired == 100) break;
    if (is_mutant(Mutant::stop_ends_the_phase) && stop_requested_) break;
  }
}

}  // namespace refloop
