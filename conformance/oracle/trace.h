#pragma once
// What a player wrote (docs/traces.md), read one run at a time, so that a thousand repetitions of the whole
// catalogue never are in memory together. A trace comes from a foreign process: every bound is checked.

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conformance/oracle/hang.h"
#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

enum class Event { trace, start, schedule, begin, end, complete, run, unsupported, quiescent, finish, hang };

/// One line. Keys a record lacks are empty or zero.
struct Record {
  Event event = Event::trace;
  std::string label;
  std::string site;
  std::string cause;
  std::string phase;
  std::string status;
  std::string reason;
  std::string scenario;
  std::string verb;
  Nanos time{0};
  Nanos after{0};
  Nanos loop_now{-1};  ///< negative = the loop did not say
  long ms = 0;
  long bytes = 0;
  unsigned run = 0;
  bool last = false;  ///< of `finish`: no more runs of this scenario follow
  Hang hang{};
};

/// All records between `start` and `finish`, both excluded.
struct RunTrace {
  std::string scenario;
  unsigned run = 0;
  Nanos started{0};
  std::vector<Record> records{};
  std::string status{};  ///< of `finish`
  std::string reason{};
  bool last = false;   ///< of `finish`
  Hang hang{};         ///< of the event `hang`
  std::string text{};  ///< the lines as they stand in the file, to be kept when the run fails
};

struct Unsupported {
  std::string scenario;
  std::string verb;
  std::string reason;
};

using TraceItem = std::variant<RunTrace, Unsupported>;

/// Parses one line; refuses what is no JSON object, an unknown event, or a key of the wrong type.
Expected<Record> parse_record(std::string_view line);

class TraceReader {
 public:
  static constexpr size_t kLineBytesMax = 64 * 1024;
  static constexpr size_t kRunRecordsMax = 200'000;

  /// `stream` must outlive the reader; `name` is used in errors.
  TraceReader(std::istream& stream, std::string name);

  /// The next run or unsupported scenario; nothing at the end. A run that has no `finish` (the player died in
  /// it) ends the trace silently: the caller knows what it asked for. Errors name the line.
  Expected<std::optional<TraceItem>> next();
  /// At the end: the run that has no `finish`, as far as it was written; null if there is none.
  const RunTrace* unfinished() const { return in_run_ ? &current_ : nullptr; }

 private:
  Expected<std::optional<Record>> next_record();
  Expected<void> take(Record record);
  std::unexpected<Error> refuse(std::string_view why) const;

  std::istream& stream_;
  std::string name_;
  std::string line_;
  size_t line_number_ = 0;
  bool in_run_ = false;
  RunTrace current_;
};

}  // namespace tickmark::conformance
