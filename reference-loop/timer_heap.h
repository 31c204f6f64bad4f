// The timers that wait: a 4-ary heap ordered by (due, start sequence), which is the order they fire in.
//
// With a million timers the cost of a heap is its cache misses, so an entry is 16 bytes, the four children
// of an entry are one cache line, and where an entry lies stands in a table of 4 bytes per timer, not in the
// timers: moving entries touches none of them. Growing the vectors is the only allocation, amortised to
// none. At most 2^32 - 1 timers wait at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "reference-loop/mutant.h"
#include "reference-loop/time.h"

namespace refloop {

class Timer;

// For vectors whose elements are meant to share cache lines in a particular way.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLineBytes{64};

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLineBytes)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, kLineBytes); }
  bool operator==(const CacheLineAllocator&) const { return true; }
};

class TimerHeap {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNoSlot = static_cast<Slot>(-1);

  TimerHeap();

  bool empty() const { return entries_.size() == kRoot; }
  std::size_t size() const { return entries_.size() - kRoot; }
  // The earliest due time; the heap is not empty.
  Nanos next_due() const { return entries_[kRoot].due(); }

  // `due` is not negative.
  void insert(Timer& timer, Nanos due);
  void remove(Timer& timer);

  // One pass over what is due: begin_pass(now), then next_of_pass() until there is none. Timers inserted
  // meanwhile are not part of it, provided they are due at `now` or later: they lie behind its end.
  void begin_pass(Nanos now);
  Timer* next_of_pass();
  // Would still come in this pass.
  bool is_in_pass(const Timer& timer) const;

 private:
  friend struct TimerHeapTest;

  // One number, most significant first: due, start sequence, slot. Comparing two is one subtraction.
  struct Entry {
    unsigned __int128 key = 0;

    Entry() = default;
    Entry(Nanos due, std::uint32_t sequence, Slot slot)
        : key(static_cast<unsigned __int128>(due.count()) << 64 |
              static_cast<std::uint64_t>(is_mutant(Mutant::timers_lifo_at_equal_due) ? ~sequence : sequence)
                  << 32 |
              slot) {}
    Nanos due() const { return Nanos{static_cast<std::int64_t>(key >> 64)}; }
    std::uint32_t sequence() const {
      const auto number = static_cast<std::uint32_t>(key >> 32);
      return is_mutant(Mutant::timers_lifo_at_equal_due) ? ~number : number;
    }
    Slot slot() const { return static_cast<Slot>(key); }
    bool operator<(const Entry& other) const { return key < other.key; }
  };

  // Three unused entries in front put the children of each entry into one cache line.
  static constexpr std::size_t kRoot = 3;
  static std::size_t parent_of(std::size_t index) { return index / 4 + 2; }
  static std::size_t first_child_of(std::size_t index) { return (index - 2) * 4; }

  bool is_in_pass(Entry entry) const {
    return entry.due() <= pass_due_ &&
           (entry.sequence() < pass_sequence_ || is_mutant(Mutant::timers_without_snapshot));
  }
  Slot take_slot(Timer& timer);
  void remove_at(std::size_t index);
  void place(std::size_t index, Entry entry);
  void sift_up(std::size_t index, Entry entry);
  void sift_down(std::size_t index, Entry entry);
  std::size_t least_child(std::size_t first) const;
  void renumber();

  std::vector<Entry, CacheLineAllocator<Entry>> entries_;
  std::vector<std::uint32_t> positions_;  // by slot: index of its entry, or the next free slot
  std::vector<Timer*> owners_;            // by slot
  Slot first_free_ = kNoSlot;
  std::uint32_t next_sequence_ = 0;
  Nanos pass_due_{-1};
  std::uint32_t pass_sequence_ = 0;
};

}  // namespace refloop
