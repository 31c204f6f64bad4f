#pragma once
// The records of a run, kept in memory while the loop turns and written when the run is over: output while a
// loop is under test would change its phases.

#include <cstdint>
#include <filesystem>
#include <functional>
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

  explicit Recorder(UniqueFd file) : file_(std::move(file)) { entries_.reserve(4096); }
  void add(Entry entry) {
    if (recording_) entries_.push_back(entry);
  }
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
  std::string text_;
};

}  // namespace tickmark::conformance
