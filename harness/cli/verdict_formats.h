#pragma once
// Verdicts as other tools want them.

#include <string>
#include <vector>

#include "conformance/oracle/verdict.h"

namespace tickmark::cli {

/// One JSON object: {"schema","rules":[...]}.
std::string verdicts_json(const std::vector<conformance::Verdict>& verdicts);

/// JUnit XML: one suite per subject; must/should failures are failures, hangs and crashes errors, what was
/// not judged is skipped with its reason. No timestamps: the same verdicts give the same bytes.
std::string verdicts_junit(const std::vector<conformance::Verdict>& verdicts);

/// TAP 14 with a YAML block behind each failure.
std::string verdicts_tap(const std::vector<conformance::Verdict>& verdicts);

/// For people: a line per rule that did not pass, with says, required, seen; then the sum per subject.
std::string verdicts_text(const std::vector<conformance::Verdict>& verdicts);

}  // namespace tickmark::cli
