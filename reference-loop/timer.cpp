#include "reference-loop/timer.h"

#include <algorithm>

namespace refloop {

bool TimerHeap::before(const Entry& a, const Entry& b) {
  if (a.due != b.due) return a.due < b.due;
  if constexpr (is_mutant(Mutant::timers_lifo_at_equal_due)) return a.sequence > b.sequence;
  return a.sequence < b.sequence;
}

void TimerHeap::place(std::size_t index, const Entry& entry) {
  entries_[index] = entry;
  entry.timer->heap_index_ = index;
}

void TimerHeap::insert(Timer& timer, Nanos due) {
  entries_.push_back({});
  sift_up(entries_.size() - 1, {due, next_sequence_++, &timer});
}

void TimerHeap::remove(Timer& timer) {
  const std::size_t index = timer.heap_index_;
  timer.heap_index_ = kNoIndex;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (index == entries_.size()) return;
  if (index > 0 && before(last, entries_[(index - 1) / 4]))
    sift_up(index, last);
  else
    sift_down(index, last);
}

void TimerHeap::sift_up(std::size_t index, Entry entry) {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 4;
    if (!before(entry, entries_[parent])) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(std::size_t index, Entry entry) {
  while (true) {
    const std::size_t first = index * 4 + 1;
    if (first >= entries_.size()) break;
    const std::size_t end = std::min(first + 4, entries_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(entries_[child], entries_[least])) least = child;
    }
    if (!before(entries_[least], entry)) break;
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

Result<void> Timer::start(Callback callback, Nanos timeout, Nanos repeat) {
  if (is_closing() || !callback) return failure(Error::bad_state);
  callback_ = callback;
  repeat_ = repeat;
  arm(timeout);
  return {};
}

void Timer::arm(Nanos timeout) {
  leave_queues();
  const Nanos base = loop_.now();
  due_ = timeout > Nanos::max() - base ? Nanos::max() : base + std::max(timeout, Nanos{0});
  loop_.timers_.insert(*this, due_);
  activate();
  if (kind_ != Kind::none) loop_.trace_schedule(kind_, tag_, due_);
}

void Timer::leave_queues() {
  if (heap_index_ != TimerHeap::kNoIndex) loop_.timers_.remove(*this);
  refloop::ListHook<ReadyTag>::unlink();
}

void Timer::stop() {
  if (is_mutant(Mutant::stopped_sibling_timer_runs) && refloop::ListHook<ReadyTag>::is_linked() &&
      !is_closing())
    return;
  leave_queues();
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

void Loop::run_timers() {
  enter(Phase::timers);
  constexpr Nanos kHurry{is_mutant(Mutant::timer_early) ? 2'000'000 : 0};
  const auto any_due = [&] { return !timers_.empty() && timers_.next_due() - kHurry <= now_; };
  if constexpr (is_mutant(Mutant::timers_without_snapshot)) {
    for (int fired = 0; any_due() && fired < 100; ++fired) {  // bounded, or no mutant player would end
      Timer& timer = timers_.front();
      timers_.remove(timer);
      timer.fire();
    }
    return;
  }
  // The snapshot: a timer started by a callback of this pass waits for the next, even if it is due.
  IntrusiveList<Timer, ReadyTag> ready;
  while (any_due()) {
    Timer& timer = timers_.front();
    timers_.remove(timer);
    ready.push_back(timer);
  }
  while (!ready.empty()) ready.pop_front().fire();
}

}  // namespace refloop
