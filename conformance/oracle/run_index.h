#pragma once
// The records of one run, by label: where each callback stands in the order of events, and its clocks.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/oracle/expression.h"
#include "conformance/oracle/trace.h"

namespace tickmark::conformance {

/// One run of a callback, or one labelled call (then begin and end are the same line).
struct Span {
  size_t begin = 0;  ///< index into RunTrace::records
  size_t end = 0;
};

class RunIndex {
 public:
  /// Refuses a damaged trace: a callback that never ends, ends without a beginning, or starts inside another.
  static Expected<RunIndex> build(const RunTrace& trace);

  /// The occurrences a name stands for; empty when there is none of that number.
  std::vector<Span> spans(const Occurrence& of) const;
  size_t count(const std::string& label) const;
  /// Statuses of the label's callbacks, or of its call; "ok" where the record is silent.
  std::vector<std::string> statuses(const std::string& label) const;
  long bytes(const std::string& label) const;
  /// Nothing when the trace has no such clock.
  std::optional<Nanos> value(const Term& term) const;
  std::vector<std::string> order_seen() const;

 private:
  explicit RunIndex(const RunTrace& trace) : trace_(&trace) {}
  Expected<void> add(size_t index);

  const RunTrace* trace_;
  std::map<std::string, std::vector<Span>> callbacks_;
  std::map<std::string, std::vector<size_t>> schedules_;
  std::map<std::string, std::vector<size_t>> completions_;
  std::vector<size_t> open_;  ///< begins that have not ended
};

}  // namespace tickmark::conformance
