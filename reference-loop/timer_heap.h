// The timers that wait: a 4-ary heap ordered by (due, start sequence), which is the order they fire in.
//
// Implicit in a vector, with the keys in the heap and only a back index in the timer: a sift touches two
// or three cache lines where a pointer heap touches one per level. Growing the vector is the only
// allocation, amortised to none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference-loop/time.h"

namespace refloop {

class Timer;

class TimerHeap {
 public:
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

  TimerHeap() { entries_.reserve(64); }

  bool empty() const { return entries_.empty(); }
  // The earliest due time; the heap is not empty.
  Nanos next_due() const { return entries_.front().due; }

  void insert(Timer& timer, Nanos due);
  void remove(Timer& timer);

  // One pass over what is due: begin_pass(now), then next_of_pass(), which removes, until there is none.
  // Timers inserted meanwhile are not part of it: they are due at `now` or later and lie behind its end.
  void begin_pass(Nanos now);
  Timer* next_of_pass();
  // Would still come in this pass.
  bool is_in_pass(const Timer& timer) const;

 private:
  struct Entry {
    Nanos due;
    std::uint64_t sequence;
    Timer* timer;
  };

  bool is_in_pass(const Entry& entry) const;
  static bool before(const Entry& a, const Entry& b);
  void place(std::size_t index, const Entry& entry);
  void sift_up(std::size_t index, Entry entry);
  void sift_down(std::size_t index, Entry entry);

  std::vector<Entry> entries_;
  std::uint64_t next_sequence_ = 0;
  Nanos pass_due_{-1};
  std::uint64_t pass_sequence_ = 0;
};

}  // namespace refloop
