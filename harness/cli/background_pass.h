#pragma once
// The check while the workload runs: the subject plays the background program in the loop that serves
// sockets, the load generator drives thousands of connections against it, and the trace is judged by the
// generic rules. A traced run is never a timing run: nothing but verdicts comes of it.

#include <filesystem>
#include <vector>

#include "conformance/oracle/rule.h"
#include "conformance/oracle/verdict.h"
#include "harness/base/error.h"
#include "harness/process/registry.h"

namespace tickmark::cli {

/// One verdict per generic rule of `rules`. A subject that crashes or hangs, a load that did not hold its
/// connections, or wrong replies make every verdict say so. Errors: kEnvironment.
Expected<std::vector<conformance::Verdict>> background_pass(const process::ResolvedSubject& subject,
                                                            const std::vector<conformance::Rule>& rules,
                                                            int connections,
                                                            const std::filesystem::path& scratch);

}  // namespace tickmark::cli
