#include "reference-loop/node_timer_lists.h"

#include "reference-loop/node_timers.h"

namespace refloop {

DurationList* TimerLists::find(Millis duration) {
  if (last_found_ && last_found_->duration == duration) return last_found_;
  const auto found = lists_.find(duration.count());
  if (found == lists_.end()) return nullptr;
  last_found_ = &found->second;
  return last_found_;
}

DurationList& TimerLists::add(Millis duration, Millis expiry) {
  Map::iterator made;
  if (spare_.empty()) {
    made = lists_.try_emplace(duration.count()).first;
  } else {
    Map::node_type node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = duration.count();
    made = lists_.insert(std::move(node)).position;
  }
  DurationList& list = made->second;
  list.duration = duration;
  list.expiry = expiry;
  list.sequence = next_sequence_++;
  queue_.push_back(&list);
  list.position = queue_.size() - 1;
  sift_up(list);
  last_found_ = &list;
  return list;
}

void TimerLists::postpone(DurationList& list, Millis expiry) {
  list.expiry = expiry;
  list.sequence = next_sequence_++;
  sift_down(list);
}

void TimerLists::remove(DurationList& list) {
  DurationList& last = *queue_.back();
  queue_.pop_back();
  if (&last != &list) {
    place(list.position, last);
    sift_up(last);
    sift_down(last);
  }
  if (last_found_ == &list) last_found_ = nullptr;
  spare_.push_back(lists_.extract(list.duration.count()));
}

void TimerLists::sift_up(DurationList& list) {
  std::size_t at = list.position;
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (!before(list, *queue_[parent])) break;
    place(at, *queue_[parent]);
    at = parent;
  }
  place(at, list);
}

void TimerLists::sift_down(DurationList& list) {
  std::size_t at = list.position;
  while (true) {
    std::size_t child = at * 2 + 1;
    if (child >= queue_.size()) break;
    if (child + 1 < queue_.size() && before(*queue_[child + 1], *queue_[child])) ++child;
    if (!before(*queue_[child], list)) break;
    place(at, *queue_[child]);
    at = child;
  }
  place(at, list);
}

}  // namespace refloop
