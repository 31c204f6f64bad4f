#pragma once
// Plays conformance scenarios on the reference loop, both layers, and the background program that runs in the
// same loop as a live workload.

#include <cstdint>
#include <functional>
#include <string_view>

#include "harness/base/error.h"
#include "harness/subject/play.h"
#include "reference-loop/loop.h"

namespace tickmark::conformance::reference {

/// Starts serving a workload in the given loop and returns the port it listens on (127.0.0.1).
using StartServer = std::function<Expected<uint16_t>(refloop::Loop& loop, std::string_view workload)>;

/// Exit code of `<subject> play`. `start_server` is called for a background file with `--serve`; it may be
/// empty when the caller serves nothing, and what it starts must end by itself or stay harmless once the loop
/// is stopped. With `time=virtual` among the request's options scenarios run in a simulation, every run with
/// a schedule of its own that follows from `seed`, rule and number of the run; such a loop serves nothing.
int play(const subject::PlayRequest& request, const StartServer& start_server,
         refloop::BackendKind backend = refloop::BackendKind::epoll);

}  // namespace tickmark::conformance::reference
