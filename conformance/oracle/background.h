#pragma once
// The trace of a loop that served a live workload beside the background program, judged by the generic rules:
// the promises of CONFORMANCE.md that need no scenario.

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/oracle/rule.h"
#include "conformance/oracle/verdict.h"
#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

/// A generic rule that applied less often than this proves nothing and is reported vacuous.
inline constexpr unsigned long kApplicableMin = 100;

/// Writes the scenario file of kind "background" that docs/scenarios.md describes.
Expected<void> write_background_scenario(const std::filesystem::path& path, uint64_t seed, Nanos duration,
                                         Nanos deadline, unsigned pool = 4);

/// One verdict per rule of `rules` that names a builtin (the others are ignored), condition "background".
/// `runs` is 1, `applicable` how often the predicate had something to judge, `failed` how often it was
/// violated. Reads the trace as a stream. An error when the trace cannot be read or is no background trace.
Expected<std::vector<Verdict>> judge_background(const std::filesystem::path& trace,
                                                const std::vector<Rule>& rules, const std::string& subject);

}  // namespace tickmark::conformance
