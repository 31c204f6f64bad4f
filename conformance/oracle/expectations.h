#pragma once
// Known deviations of a subject, each with its reason (conformance/expectations/<subject>.yaml): what is
// listed is no finding, and what is listed but passes is reported, so that the list cannot go stale unseen.
//
//   timers/never_fire_early: rounds deadlines down, see issue 12

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/oracle/verdict.h"
#include "harness/base/error.h"

namespace tickmark::conformance {

using Expectations = std::map<std::string, std::string>;  ///< rule id -> reason it is known to fail

/// Of `<folder>/<subject>.yaml`; none when there is no such file. Refuses entries without a reason and rules
/// that do not exist.
Expected<Expectations> load_expectations(const std::filesystem::path& folder, const std::string& subject,
                                         const std::vector<Rule>& rules);

struct Findings {
  std::vector<const Verdict*> unexpected_failures;  ///< exit 1
  std::vector<const Verdict*> unexpected_passes;    ///< reported: the expectation is out of date
};

/// The verdicts must outlive the result.
Findings compare(const std::vector<Verdict>& verdicts, const Expectations& expectations);

}  // namespace tickmark::conformance
