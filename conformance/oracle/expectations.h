#pragma once
// Known deviations of a subject, each with its reason (conformance/expectations/<subject>.yaml): what is
// listed is no finding, and what is listed but passes is reported, so that the list cannot go stale unseen.
// A rule that never has anything to judge on a subject may be listed, too.
//
//   timers/never_fire_early: rounds deadlines down, see issue 12
//   node_timers/same_duration_in_order:
//     reason: sorts its timers by address
//     thread: the address of the report
//     since: {bun: "1.1"}
//     until: {bun: "1.3"}
//     modes: [worker]      # only where main runs there; cjs is a player's own mode, too
//     sometimes: true      # it depends on time, and may not show in a whole pass

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/oracle/verdict.h"
#include "conformance/oracle/versions.h"
#include "harness/base/error.h"

namespace tickmark::conformance {

struct Expectation {
  std::string reason;
  std::vector<std::string> modes{};  ///< empty: all
  bool sometimes = false;            ///< that it did not show is no news
};

/// By rule id: what is known to fail, for the versions asked about.
using Expectations = std::map<std::string, Expectation>;

/// Of `<folder>/<subject>.yaml`; none when there is no such file. Entries whose version range does not hold
/// of `versions` are left out. Refuses entries without a reason, unknown keys, and rules that do not exist.
Expected<Expectations> load_expectations(const std::filesystem::path& folder, const std::string& subject,
                                         const Versions& versions, const std::vector<Rule>& rules);

struct Findings {
  std::vector<const Verdict*> unexpected_failures;  ///< exit 1
  std::vector<const Verdict*> unexpected_passes;    ///< reported: the expectation is out of date
  std::vector<const Verdict*> vacuous;              ///< exit 1: the rule never had anything to judge
};

/// Marks the violations and the vacuous among `verdicts` that are known (Verdict::known). The verdicts must
/// outlive the result.
Findings compare(std::vector<Verdict>& verdicts, const Expectations& expectations);

}  // namespace tickmark::conformance
