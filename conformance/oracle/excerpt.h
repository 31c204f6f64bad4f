#pragma once
// The smallest part of a failing run that shows the failure: what somebody reads first, and all that a report
// to a runtime's authors has to quote.

#include <string>
#include <vector>

#include "conformance/oracle/rule.h"
#include "conformance/oracle/trace.h"

namespace tickmark::conformance {

/// The run without every label that can be taken out of it while the rule still fails for the same `reason`,
/// a line per event with its time since the run's start. At most kExcerptLinesMax lines: what is in the
/// middle of more is left out, and said to be.
std::vector<std::string> excerpt(const Rule& rule, const RunTrace& trace, const std::string& reason);

/// The last events of a run that never ended, at most kTailLinesMax lines.
std::vector<std::string> last_events(const RunTrace& trace);

inline constexpr size_t kExcerptLinesMax = 40;
inline constexpr size_t kTailLinesMax = 20;

}  // namespace tickmark::conformance
