#pragma once
// A worker of the cluster: a process with a reference loop that serves as the reference_loop subject does.

#include <optional>

#include "harness/base/unique_fd.h"
#include "harness/subject/serve_context.h"
#include "reference-loop/loop.h"

namespace tickmark {

/// Runs in the forked child until `channel` ends; returns its exit code. `own_port`: the port to listen on
/// beside the other workers (SO_REUSEPORT); nothing where connections come through the channel.
int run_worker(subject::ServeContext& context, refloop::LoopOptions options, UniqueFd channel,
               std::optional<uint16_t> own_port);

}  // namespace tickmark
