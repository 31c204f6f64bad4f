#pragma once
// The rules while thousands of sockets are live: the player serves the workload sockets in the very loop in
// which it plays, and begins when so many connections are held. Unlike background_pass.h, which judges a
// program of its own by the generic rules, this asks every rule that needs no process to itself - of players
// that have one loop for all of their runs, and say so by the feature play_rules_under_load.

#include <string>

#include "conformance/oracle/conform.h"
#include "harness/process/subject_process.h"
#include "harness/vocabulary/service.h"

namespace tickmark::cli {

/// What was wrong with the load, over all processes of a pass.
struct LoadFaults {
  std::string first;  ///< "" = every connection was held and every reply was right
};

/// How a player ended that had until `deadline`, in the oracle's words.
conformance::ProcessResult process_result(const process::ExitReport& exit, Nanos deadline);

/// Starts players with `--serve sockets`, keeps `connections` connections busy until they end, and says how
/// they ended. `options` stand behind the player's arguments; `faults` must outlive the runner.
conformance::RunProcess loaded_runner(Parameters options, int connections, LoadFaults& faults);

}  // namespace tickmark::cli
