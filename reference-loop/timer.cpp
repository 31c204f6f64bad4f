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
  due_ = timeout > Nanos::max() - base ? Nanos::max() : base + std::max(timeout, Nanos{0});
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
  if (repeat_ > Nanos{0})
    arm(repeat_);
  else
    deactivate();
  loop_.invoke(
      kind_, tag, [this] { callback_(*this); }, due);
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
  }
}

}  // namespace refloop
