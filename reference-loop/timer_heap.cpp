#include "reference-loop/timer_heap.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "reference-loop/timer.h"

namespace refloop {

TimerHeap::TimerHeap() {
  entries_.reserve(64);
  entries_.resize(kRoot);
}

void TimerHeap::insert(Timer& timer, Nanos due) {
  if (next_sequence_ == UINT32_MAX) renumber();
  timer.heap_slot_ = take_slot(timer);
  entries_.emplace_back();
  sift_up(entries_.size() - 1, Entry(due, next_sequence_++, timer.heap_slot_));
}

TimerHeap::Slot TimerHeap::take_slot(Timer& timer) {
  if (first_free_ == kNoSlot) {
    positions_.push_back(0);
    owners_.push_back(&timer);
    return static_cast<Slot>(owners_.size() - 1);
  }
  const Slot slot = first_free_;
  first_free_ = positions_[slot];
  owners_[slot] = &timer;
  return slot;
}

void TimerHeap::remove(Timer& timer) {
  const Slot slot = std::exchange(timer.heap_slot_, kNoSlot);
  const std::size_t index = positions_[slot];
  positions_[slot] = std::exchange(first_free_, slot);
  remove_at(index);
}

void TimerHeap::begin_pass(Nanos now) {
  pass_due_ = now;
  pass_sequence_ = next_sequence_;
}

Timer* TimerHeap::next_of_pass() {
  if (empty() || !is_in_pass(entries_[kRoot])) {
    pass_due_ = Nanos{-1};
    return nullptr;
  }
  Timer& timer = *owners_[entries_[kRoot].slot()];
  remove(timer);
  return &timer;
}

bool TimerHeap::is_in_pass(const Timer& timer) const {
  return timer.heap_slot_ != kNoSlot && is_in_pass(entries_[positions_[timer.heap_slot_]]);
}

// The last entry takes the hole.
void TimerHeap::remove_at(std::size_t index) {
  const Entry last = entries_.back();
  entries_.pop_back();
  if (index == entries_.size()) return;
  if (index > kRoot && last < entries_[parent_of(index)])
    sift_up(index, last);
  else
    sift_down(index, last);
}

void TimerHeap::place(std::size_t index, Entry entry) {
  entries_[index] = entry;
  positions_[entry.slot()] = static_cast<std::uint32_t>(index);
}

void TimerHeap::sift_up(std::size_t index, Entry entry) {
  while (index > kRoot) {
    const std::size_t parent = parent_of(index);
    if (!(entry < entries_[parent])) break;
    place(index, entries_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerHeap::sift_down(std::size_t index, Entry entry) {
  while (true) {
    const std::size_t first = first_child_of(index);
    if (first >= entries_.size()) break;
    const std::size_t least = least_child(first);
    if (!(entries_[least] < entry)) break;
    place(index, entries_[least]);
    index = least;
  }
  place(index, entry);
}

// Of the up to four children that begin at `first`.
std::size_t TimerHeap::least_child(std::size_t first) const {
  if (first + 4 > entries_.size()) {
    const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(first);
    return static_cast<std::size_t>(std::min_element(begin, entries_.end()) - entries_.begin());
  }
  const std::size_t left = entries_[first + 1] < entries_[first] ? first + 1 : first;
  const std::size_t right = entries_[first + 3] < entries_[first + 2] ? first + 3 : first + 2;
  return entries_[right] < entries_[left] ? right : left;
}

// Once in four billion starts: the waiting timers get the lowest numbers, in their order. What is part of
// the pass under way comes first in that order.
void TimerHeap::renumber() {
  std::sort(entries_.begin() + kRoot, entries_.end());  // a sorted array is a heap
  const auto pass_end = std::find_if(entries_.begin() + kRoot, entries_.end(),
                                     [this](Entry entry) { return !is_in_pass(entry); });
  pass_sequence_ = static_cast<std::uint32_t>(pass_end - entries_.begin() - kRoot);
  next_sequence_ = 0;
  for (std::size_t i = kRoot; i < entries_.size(); ++i)
    place(i, Entry(entries_[i].due(), next_sequence_++, entries_[i].slot()));
}

}  // namespace refloop
