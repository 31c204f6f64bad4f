#pragma once
// A worker of the cluster: a process with a reference loop that serves as the reference_loop subject does.

#include "harness/subject/serve_context.h"
#include "reference-loop/cluster_worker.h"

namespace tickmark {

/// Runs in the forked child until the parent says stop; returns its exit code. Its last message to the parent
/// are the counters, or why it could not serve.
int run_worker(subject::ServeContext& context, refloop::ClusterWorker& worker);

}  // namespace tickmark
