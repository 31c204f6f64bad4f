#pragma once
// One run of one rule's scenario, judged. Order is the order of the trace's lines, never a clock: clocks
// serve guards and stated tolerances only, so that a slow machine cannot make a rule fail.

#include <string>
#include <vector>

#include "conformance/oracle/rule.h"
#include "conformance/oracle/trace.h"

namespace tickmark::conformance {

enum class Outcome { pass, fail, inapplicable, inconclusive };

struct RunVerdict {
  Outcome outcome = Outcome::pass;
  std::string reason;  ///< the clause that failed, the guard that did not hold, what is missing
  std::vector<std::string>
      seen;  ///< labels in the order their callbacks began; a status other than ok in brackets
};

/// `inapplicable` when a guard of `when` does not hold in this trace; `inconclusive` when the trace is
/// damaged or the player gave up.
RunVerdict judge(const Rule& rule, const RunTrace& trace);

}  // namespace tickmark::conformance
