#pragma once
// The records of a run, kept in memory while the loop turns and written when the run is over: output while a
// loop is under test would change its phases.

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark::conformance {

/// What the loop says of itself beside a record.
struct LoopState {
  std::string_view phase;  ///< "" = the loop does not say
  uint64_t iteration = 0;
  Nanos now{-1};  ///< cached time; negative = not known
};

/// What became of the time of a run that passed its deadline; of `waited` and `cpu` the sum over all threads.
struct HangTimes {
  Nanos lasted{0};
  Nanos cpu{0};
  Nanos waited{0};  ///< ready to run, while others did
  Nanos lost{0};    ///< the whole process stood still: stopped, or its machine was
};

/// Labels are views into the scenario, which outlives the run.
class Recorder {
 public:
  /// Opens the trace for appending and writes its first line.
  static Expected<Recorder> open(const std::filesystem::path& trace, std::string_view player, unsigned pool);

  /// What the time is, for a runtime that does not live in real time.
  void set_clock(std::function<Nanos()> clock) { clock_ = std::move(clock); }
  /// CLOCK_MONOTONIC, or what set_clock() says. Thread-safe if that is.
  Nanos now() const { return clock_ ? clock_() : tickmark::now(); }

  void start(std::string_view scenario, unsigned run);
  std::string_view scenario() const { return scenario_; }
  unsigned run() const { return run_; }
  void schedule(std::string_view label, std::string_view site, std::string_view cause, Nanos before,
                Nanos after, std::optional<long> ms, std::string_view status, const LoopState& loop);
  void begin(std::string_view label, std::string_view site, std::string_view cause, std::string_view status,
             std::optional<long> bytes, const LoopState& loop);
  void end(std::string_view label, std::string_view site, std::string_view cause);
  void complete(std::string_view label, Nanos time, int64_t thread);
  void turned(std::string_view label, std::string_view mode, bool alive);
  void unsupported(std::string_view scenario, std::string_view verb, std::string_view reason);
  /// From here on nothing is recorded until the next start: the player cleans up.
  void quiescent();
  /// Writes the run. False when the file cannot be written.
  bool finish();
  /// Writes the last records of a run that does not end, and why it does not. From another thread, while that
  /// of the run stands still.
  void hang(const HangTimes& times, std::string_view states);

 private:
  enum class Kind : uint8_t { schedule, begin, end, complete, turned };
  struct Entry {
    Kind kind;
    std::string_view label;
    std::string_view site;
    std::string_view cause;
    std::string_view status;
    Nanos time{0};
    Nanos after{0};
    std::optional<long> number{};  // ms of schedule, bytes of begin
    int64_t thread = 0;
    LoopState loop{};
  };

  // The last records once more, where they never move: a run is stopped anywhere, in push_back, too.
  struct Tail {
    std::array<Entry, 64> entries;
    std::atomic<size_t> added{0};
  };

  explicit Recorder(UniqueFd file) : file_(std::move(file)), tail_(std::make_unique<Tail>()) {
    entries_.reserve(4096);
  }
  void add(const Entry& entry) {
    if (!recording_) return;
    entries_.push_back(entry);
    const size_t number = tail_->added.load(std::memory_order_relaxed);
    tail_->entries[number % tail_->entries.size()] = entry;
    tail_->added.store(number + 1, std::memory_order_release);
  }
  void print_start();
  void print(const Entry& entry);
  bool write_out();

  UniqueFd file_;
  std::function<Nanos()> clock_;
  bool recording_ = false;
  std::string_view scenario_;
  unsigned run_ = 0;
  Nanos started_{0};
  Nanos quiescent_{0};
  std::vector<Entry> entries_;
  std::unique_ptr<Tail> tail_;
  std::string text_;
};

}  // namespace tickmark::conformance
