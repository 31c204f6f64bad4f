#include "reference-loop/timer_heap.h"

#include <algorithm>

#include "reference-loop/timer.h"

namespace refloop {
namespace {

// Of one mutant.
struct Removed {
  const Timer* timer = nullptr;
  std::uint64_t sequence = 0;
};
[[maybe_unused]] Removed last_removed;

}  // namespace

bool TimerHeap::before(const Entry& a, const Entry& b) {
  if (a.due != b.due) return a.due < b.due;
  if (is_mutant(Mutant::equal_deadlines_in_any_order)) return false;
  if (is_mutant(Mutant::timers_lifo_at_equal_due)) return a.sequence > b.sequence;
  return a.sequence < b.sequence;
}

void TimerHeap::place(std::size_t index, const Entry& entry) {
  entries_[index] = entry;
  entry.timer->heap_index_ = index;
}

void TimerHeap::insert(Timer& timer, Nanos due) {
  entries_.push_back({});
  const bool keeps_place = is_mutant(Mutant::restart_keeps_place) && last_removed.timer == &timer;
  sift_up(entries_.size() - 1, {due, keeps_place ? last_removed.sequence : next_sequence_++, &timer});
}

void TimerHeap::remove(Timer& timer) {
  const std::size_t index = timer.heap_index_;
  if (is_mutant(Mutant::restart_keeps_place)) last_removed = {&timer, entries_[index].sequence};
  timer.heap_index_ = kNoIndex;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (index == entries_.size()) return;
  if (index > 0 && before(last, entries_[(index - 1) / 4]))
    sift_up(index, last);
  else
    sift_down(index, last);
}

void TimerHeap::begin_pass(Nanos now) {
  pass_due_ = now;
  pass_sequence_ = next_sequence_;
}

Timer* TimerHeap::next_of_pass() {
  if (is_mutant(Mutant::time_moves_in_a_pass) && !entries_.empty())
    pass_due_ = entries_.front().timer->loop().read_clock();
  if (entries_.empty() || !is_in_pass(entries_.front())) {
    pass_due_ = Nanos{-1};
    return nullptr;
  }
  Timer& timer = *entries_.front().timer;
  remove(timer);
  return &timer;
}

bool TimerHeap::is_in_pass(const Entry& entry) const {
  if (entry.due > pass_due_) return false;
  return entry.sequence < pass_sequence_ || is_mutant(Mutant::timers_without_snapshot);
}

bool TimerHeap::is_in_pass(const Timer& timer) const {
  return timer.heap_index_ != kNoIndex && is_in_pass(entries_[timer.heap_index_]);
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

}  // namespace refloop
