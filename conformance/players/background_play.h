#pragma once
// `play` with a background file: the program and a workload's server in one loop, then the loop's own trace.

#include "conformance/players/refloop_player.h"
#include "conformance/players/scenario.h"

namespace tickmark::conformance::reference {

/// Exit code. With `request.serve` prints the subject contract's ready line once the server listens. Ends
/// when the file's duration is over and stdin has closed.
int play_background(const ScenarioFile& file, const subject::PlayRequest& request,
                    const StartServer& start_server, refloop::BackendKind backend);

}  // namespace tickmark::conformance::reference
