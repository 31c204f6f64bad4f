#pragma once
// Verdicts as other tools want them, and as people do. No timestamps in any: the same verdicts give the same
// bytes. Each tells of every rule in how many of its runs it could be judged.

#include <string>
#include <vector>

#include "conformance/oracle/verdict.h"

namespace tickmark::cli {

/// One JSON object: {"schema","rules":[...]}.
std::string verdicts_json(const std::vector<conformance::Verdict>& verdicts);

/// JUnit XML: one suite per subject; must/should failures are failures, hangs and crashes errors, what was
/// not judged or is a known deviation is skipped with its reason.
std::string verdicts_junit(const std::vector<conformance::Verdict>& verdicts);

/// TAP 14 with a YAML block behind each failure; a known deviation is what TAP calls to be done.
std::string verdicts_tap(const std::vector<conformance::Verdict>& verdicts);

/// For people: what did not pass, with says, required, seen; then the sum per subject.
std::string verdicts_text(const std::vector<conformance::Verdict>& verdicts);

/// The same with a table of all rules, for pull requests and wikis.
std::string verdicts_markdown(const std::vector<conformance::Verdict>& verdicts);

}  // namespace tickmark::cli
