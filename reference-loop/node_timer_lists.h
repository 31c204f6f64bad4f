// The lists of timeouts by duration, and the queue of these lists by expiry.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "reference-loop/intrusive_list.h"

namespace refloop {

using Millis = std::chrono::milliseconds;
struct Timeout;

struct DurationList {
  Millis duration{};
  Millis expiry{};             // not later than that of its head
  std::uint64_t sequence = 0;  // of its last change of expiry: breaks ties
  std::size_t position = 0;    // in the queue
  IntrusiveList<Timeout> timeouts;
};

class TimerLists {
 public:
  bool empty() const { return queue_.empty(); }
  // The list that expires first; there is one.
  DurationList& front() const { return *queue_.front(); }

  // The list of this duration, if any.
  DurationList* find(Millis duration);
  // A new one, empty.
  DurationList& add(Millis duration, Millis expiry);
  // Behind those that have the same expiry.
  void postpone(DurationList& list, Millis expiry);
  void remove(DurationList& list);

 private:
  using Map = std::unordered_map<std::int64_t, DurationList>;

  static bool before(const DurationList& a, const DurationList& b) {
    return a.expiry != b.expiry ? a.expiry < b.expiry : a.sequence < b.sequence;
  }
  void place(std::size_t position, DurationList& list) {
    queue_[position] = &list;
    list.position = position;
  }
  void sift_up(DurationList& list);
  void sift_down(DurationList& list);

  Map lists_;                           // by duration in ms
  std::vector<Map::node_type> spare_;   // of removed lists: coming and going allocates nothing
  std::vector<DurationList*> queue_;    // a binary heap
  DurationList* last_found_ = nullptr;  // most programs use few durations
  std::uint64_t next_sequence_ = 0;
};

}  // namespace refloop
