#include "harness/cli/verdict_explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tickmark::cli {

using conformance::Verdict;
using conformance::VerdictKind;

std::string applicability(const Verdict& verdict) {
  if (verdict.runs == 0) return "";
  if (verdict.applicable > verdict.runs) return fmt::format("{} places of one run", verdict.applicable);
  return fmt::format("{} of {} runs ({:.0f} %)", verdict.applicable, verdict.runs,
                     100 * verdict.applicability());
}

bool is_bad(const Verdict& verdict) {
  return (verdict.is_violation() || verdict.kind == VerdictKind::vacuous) && verdict.known.empty();
}

bool is_skipped(const Verdict& verdict) {
  return verdict.kind == VerdictKind::inapplicable || verdict.kind == VerdictKind::unsupported ||
         verdict.kind == VerdictKind::inconclusive;
}

std::vector<std::string> explanation(const Verdict& verdict) {
  std::vector<std::string> lines{"says: " + verdict.says,
                                 fmt::format("required: {}", fmt::join(verdict.required, "; "))};
  if (!verdict.seen.empty()) lines.push_back(fmt::format("seen: {}", fmt::join(verdict.seen, " ")));
  if (!verdict.excerpt.empty()) {
    lines.push_back(verdict.failed > 0
                        ? fmt::format("trace of run {}, what shows it:", verdict.failed_run)
                        : fmt::format("run {} never ended; its last events:", verdict.failed_run));
    for (const std::string& line : verdict.excerpt) lines.push_back("  " + line);
  }
  if (verdict.runs > 0) {
    lines.push_back(fmt::format("applicable in {}, failed in {}", applicability(verdict), verdict.failed));
  }
  if (!verdict.reason.empty()) lines.push_back("reason: " + verdict.reason);
  if (!verdict.known.empty()) lines.push_back("known: " + verdict.known);
  lines.push_back("source: " + verdict.source);
  lines.push_back("reproduce: " + verdict.reproduce);
  return lines;
}

}  // namespace tickmark::cli
