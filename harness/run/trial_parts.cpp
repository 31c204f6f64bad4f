#include "harness/run/trial_parts.h"

#include <algorithm>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include "harness/run/canary.h"

namespace tickmark::run {
namespace {

uint64_t own_thread_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
}

std::string end_sentence(const process::ExitReport& exit) {
  if (exit.signal != 0) return fmt::format("ended by signal {} during the load", exit.signal);
  return fmt::format("exited with status {} during the load", exit.code);
}

}  // namespace

Edge read_edge(const process::SubjectProcess& subject, process::UsageDetail detail) {
  return {subject.usage(detail), process::sample_system(), process::own_cpu_time(), own_thread_switches()};
}

void pin_to(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

void take_canary(const TrialSetup& setup, TrialFacts& facts) {
  if (setup.canaries == nullptr) return;
  facts.canary_usual = setup.canaries->usual();
  facts.canary_spread = setup.canaries->spread();
  facts.canary = spin_canary(setup.cpus.subject(setup.cell->placement).front());
  pin_to(setup.cpus.all);
  if (facts.canary > Nanos{0}) setup.canaries->add(facts.canary);
}

Expected<load::LoadConfig> make_load(const TrialSetup& setup) {
  const PlannedCell& cell = *setup.cell;
  load::LoadConfig config;
  config.scenario = cell.scenario;
  config.warmup = setup.warmup.value_or(cell.warmup);
  config.duration = cell.duration;
  config.seed = setup.trial->seed;
  config.cpu = setup.cpus.client();
  config.spin = setup.cpus.client_alone(cell.placement) ? load::Spin::kBeforeDeadlines : load::Spin::kNever;
  config.realtime = cell.open_loop && config.spin == load::Spin::kNever;
  for (const PlannedLane& lane : cell.lanes) {
    auto client = setup.clients->get(cell.workload, lane.variant, cell.params);
    if (!client) return std::unexpected(client.error());
    load::LaneConfig lane_config;
    lane_config.name = lane.name;
    lane_config.client = *client;
    lane_config.connections = lane.connections;
    lane_config.arrivals = lane.arrivals;
    lane_config.rate_per_s = lane.rate_per_s;
    config.lanes.push_back(lane_config);
  }
  return config;
}

Parameters subject_params(const load::LoadConfig& config) {
  Parameters params;
  for (const load::LaneConfig& lane : config.lanes) {
    params.insert(lane.client->subject_params.begin(), lane.client->subject_params.end());
  }
  return params;
}

void start_failed(TrialOutcome& outcome, const Error& error) {
  outcome.reason = error.message;
  outcome.environment_fault = error.kind != ErrorKind::kSubject;
  outcome.status = outcome.exit.hung ? "hung" : outcome.exit.crashed ? "crashed" : "failed";
}

void fill_window(TrialOutcome& outcome, const Edge& begin, const Edge& end, Nanos others) {
  TrialSamples& samples = outcome.samples;
  samples.window_begin = begin.tree;
  samples.window_end = end.tree;
  const Nanos subject_cpu = (end.tree - begin.tree).cpu_time;
  outcome.facts.environment = process::environment_between(begin.system, end.system, subject_cpu + others,
                                                           end.own_cpu - begin.own_cpu);
  const uint64_t machine = end.system.context_switches - begin.system.context_switches;
  samples.machine_switches = machine - std::min(machine, end.own_switches - begin.own_switches);
  const double window = seconds(end.tree.at - begin.tree.at);
  if (window > 0) outcome.facts.subject_cpu_share = seconds(subject_cpu) / window;
}

void settle_status(TrialOutcome& outcome, bool died) {
  if (!outcome.loaded && !died) return;
  const load::LoadReport& load = outcome.facts.load;
  auto set = [&](const char* status, std::string reason) {
    outcome.status = status;
    outcome.reason = std::move(reason);
  };
  const auto wrong =
      std::ranges::find_if(load.lanes, [](const auto& lane) { return lane.wrong_replies > 0; });
  if (load.interrupted) return set("interrupted", "the run was interrupted during this trial");
  if (died) return set("crashed", end_sentence(outcome.exit));
  if (wrong != load.lanes.end()) {
    return set("wrong_reply", fmt::format("lane {}: {} wrong replies; the first: {}", wrong->name,
                                          wrong->wrong_replies, wrong->wrong_reply));
  }
  if (!load.failure.empty()) return set("failed", load.failure);
  if (outcome.exit.hung) return set("hung", "did not end within its deadline after its stdin was closed");
  if (auto invalid = invalidation(judge(outcome.facts))) return set("invalid", *invalid);
  if (outcome.facts.storm) return;
  if (auto behind = saturation(load)) set("saturated", *behind);
}

}  // namespace tickmark::run
