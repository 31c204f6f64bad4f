#pragma once
// What a trial of one subject and one of several together have in common. Private to them.

#include <vector>

#include "harness/load/load.h"
#include "harness/process/sentinels.h"
#include "harness/run/trial.h"

namespace tickmark::run {

/// Reading the counters of one thread takes some 10 us: beyond this many, doing it at the edges of the
/// window would disturb the window.
inline constexpr int kThreadsReadAtEdgesMax = 128;

/// The window's edges, read in the generator's thread.
struct Edge {
  process::TreeUsage tree;
  process::SystemSnapshot system;
  Nanos own_cpu{0};
  uint64_t own_switches = 0;
};
Edge read_edge(const process::SubjectProcess& subject, process::UsageDetail detail);

void pin_to(const std::vector<int>& cpus);

/// Before the subject starts: how fast its core is now, beside what is usual in this run.
void take_canary(const TrialSetup& setup, TrialFacts& facts);

/// The load of a trial; its address and port are the caller's to set.
Expected<load::LoadConfig> make_load(const TrialSetup& setup);

/// What the subject is told of the workload.
Parameters subject_params(const load::LoadConfig& config);

void start_failed(TrialOutcome& outcome, const Error& error);

/// From the two edges to what the subject used. `others`: CPU time of the subjects that ran beside it.
void fill_window(TrialOutcome& outcome, const Edge& begin, const Edge& end, Nanos others);

/// What the load's report says of the subject, gravest first. The exit report has been taken.
void settle_status(TrialOutcome& outcome, bool died);

}  // namespace tickmark::run
