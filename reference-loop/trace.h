// What the loop says of itself: one record per scheduling, callback begin, callback end, completion in a
// worker, phase and iteration. An oracle judges the loop from these while thousands of sockets are live.
//
// Off, tracing costs the loop one predictable branch per callback. On, a record is one clock read and
// one 64-byte store into a chunk that never moves; nothing is formatted or written while the loop runs.
// Only the loop thread appends: what another thread did is stamped there and recorded when the loop
// learns of it, with the other thread's time and id. So records are in the order the loop knew of them,
// and only those of `thread == loop thread` are sorted by time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "reference-loop/time.h"

namespace refloop {

enum class Event : std::uint8_t { schedule, begin, end, complete, phase, iteration };

enum class Phase : std::uint8_t { outside, timers, pending, idle, prepare, poll, check, closing };

// What a callback is the consequence of.
enum class Kind : std::uint8_t {
  none,
  main,
  timer,
  idle,
  prepare,
  check,
  async,
  message,
  port_end,  // of a message port: its peer was closed
  signal,
  process,
  fd_ready,
  accept,
  connect,
  read,
  read_end,
  write_done,
  drain,
  shutdown,
  close,
  pool,
  node_timeout,
  node_immediate,
  tick,
  microtask,
};

std::string_view name_of(Event event);
std::string_view name_of(Phase phase);
std::string_view name_of(Kind kind);

// The user's name for a handle or request in the trace; 0 = none. The user keeps the table of names.
using Label = std::uint32_t;

// What a handle or request carries for the trace.
struct TraceTag {
  std::uint64_t id = 0;  // of the current submission; 0 = submitted while tracing was off
  Label label = 0;
};

inline constexpr Nanos kNoDue{-1};

struct TraceRecord {
  Nanos time{};                 // CLOCK_MONOTONIC when it happened, or virtual time
  Nanos loop_now{};             // Loop::now() then
  Nanos due = kNoDue;           // timers only
  std::uint64_t id = 0;         // links schedule, complete, begin and end of one submission
  std::uint64_t iteration = 0;  // 0 before the first
  std::int32_t thread = 0;      // kernel thread id; in virtual time: simulation.h
  Label label = 0;
  Event event = Event::schedule;
  Phase phase = Phase::outside;
  Kind kind = Kind::none;
};

class Trace {
 public:
  // Preallocates for `records` records; grows by chunks when they do not suffice.
  explicit Trace(std::size_t records);

  void append(const TraceRecord& record) {
    if (size_ == chunks_.size() * kChunkRecords) grow();
    (*chunks_[size_ / kChunkRecords])[size_ % kChunkRecords] = record;
    ++size_;
  }

  std::size_t size() const { return size_; }
  const TraceRecord& operator[](std::size_t i) const {
    return (*chunks_[i / kChunkRecords])[i % kChunkRecords];
  }
  // Forgets the records, keeps the memory.
  void clear() { size_ = 0; }

 private:
  // 72 KiB: small enough that a loop of a few callbacks can be traced for their price.
  static constexpr std::size_t kChunkRecords = 1024;
  using Chunk = std::array<TraceRecord, kChunkRecords>;

  void grow();

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

// The kernel id of the calling thread (cached: the syscall is made once per thread).
std::int32_t current_thread_id();

}  // namespace refloop
