#pragma once
// What every output says of a verdict, in the same words and the same order.

#include <string>
#include <vector>

#include "conformance/oracle/verdict.h"

namespace tickmark::cli {

/// "18 of 20 runs (90 %)"; "" if it was not run.
std::string applicability(const conformance::Verdict& verdict);

/// Whether a run of the suite failed by it: a violation nobody expected, or a rule that judged nothing.
bool is_bad(const conformance::Verdict& verdict);

/// Inapplicable, unsupported, inconclusive: not judged, for a reason.
bool is_skipped(const conformance::Verdict& verdict);

/// The lines below a verdict that is not a pass: says, required, seen, the smallest part of the trace that
/// shows it, counts, reason, source, and the command that reproduces it alone. Nothing is said that is not
/// known.
std::vector<std::string> explanation(const conformance::Verdict& verdict);

}  // namespace tickmark::cli
