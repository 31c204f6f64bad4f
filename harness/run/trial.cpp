#include "harness/run/trial.h"

#include <algorithm>
#include <fmt/format.h>
#include <sched.h>

#include "harness/output/bundle_writer.h"
#include "harness/run/trial_parts.h"

namespace tickmark::run {
namespace {

/// Runs the load on a started subject and fills facts and samples.
void run_load_on(process::SubjectProcess& subject, load::LoadConfig config, const TrialSetup& setup,
                 TrialOutcome& outcome) {
  TrialSamples& samples = outcome.samples;
  samples.memory_before = subject.usage(process::UsageDetail::kMemory);
  samples.kernel_before = process::sample_kernel_memory();
  auto detail = process::UsageDetail::kCpu;
  Edge begin, end;
  load::LoadHooks hooks;
  hooks.interrupted = setup.interrupted;
  hooks.progress = setup.progress;
  hooks.on_ramp_end = [&] {
    samples.memory_after = subject.usage(process::UsageDetail::kMemory);
    samples.kernel_after = process::sample_kernel_memory();
    samples.has_memory = config.scenario == load::Scenario::kOrderly;
    samples.threads_sampled = samples.memory_after.threads <= kThreadsReadAtEdgesMax;
    detail = samples.threads_sampled ? process::UsageDetail::kThreads : process::UsageDetail::kCpu;
  };
  hooks.on_window_start = [&] {
    outcome.window_wall = output::wall_clock();
    begin = read_edge(subject, detail);
  };
  hooks.on_window_end = [&] {
    end = read_edge(subject, detail);
    samples.has_window = true;
  };
  config.address = subject.ready().address;
  config.port = subject.ready().port;
  auto report = load::run_load(config, hooks);
  pin_to(setup.cpus.all);
  if (!report) {
    outcome.status = "failed";
    outcome.reason = report.error().message;
    outcome.environment_fault = report.error().kind == ErrorKind::kEnvironment;
    return;
  }
  outcome.loaded = true;
  if (samples.has_window) fill_window(outcome, begin, end, Nanos{0});
  outcome.facts.load = std::move(*report);
}

}  // namespace

Expected<const Client*> ClientCache::get(const std::string& workload, const std::string& variant,
                                         const Parameters& params) {
  std::string key = workload + "/" + variant;
  for (const auto& [name, value] : params) key += fmt::format("/{}={}", name, value);
  if (const auto found = clients_.find(key); found != clients_.end()) return found->second.get();
  const auto& entries = client_entries();
  const auto entry = std::ranges::find(entries, workload, &ClientEntry::id);
  if (entry == entries.end()) {
    return usage_error(
        fmt::format("workload '{}' has no client half (workloads/{}/client.cpp)", workload, workload));
  }
  ClientSetup setup;
  setup.params = params;
  setup.variant = variant;
  setup.seed = seed_;
  // One folder per workload: its variants ask for the same files, and a mix of lanes shares one root.
  setup.folder = folder_ / workload;
  std::error_code failure;
  std::filesystem::create_directories(setup.folder, failure);
  if (failure) {
    return environment_error(fmt::format("cannot make {} for the files of workload {}: {}; check the disk",
                                         setup.folder.string(), workload, failure.message()));
  }
  auto client = entry->make(setup);
  if (!client) return std::unexpected(client.error());
  return (clients_[key] = std::make_unique<Client>(std::move(*client))).get();
}

std::vector<int> CpuRoles::subject(Placement placement) const {
  return placement == Placement::kShared ? all : std::vector<int>{all.front()};
}

CpuRoles CpuRoles::of_this_process() {
  CpuRoles roles;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<size_t>(cpu), &set)) roles.all.push_back(cpu);
    }
  }
  if (roles.all.empty()) roles.all.push_back(0);
  return roles;
}

size_t headline_lane(const PlannedCell& cell) {
  const auto probe = std::ranges::find(cell.lanes, "probe", &PlannedLane::name);
  return probe == cell.lanes.end() ? 0 : static_cast<size_t>(probe - cell.lanes.begin());
}

Expected<TrialOutcome> run_trial(const TrialSetup& setup) {
  const PlannedCell& cell = *setup.cell;
  auto config = make_load(setup);
  if (!config) return std::unexpected(config.error());
  TrialOutcome outcome;
  outcome.started_wall = output::wall_clock();
  outcome.warmup = config->warmup;
  outcome.facts.open_loop = cell.open_loop;
  outcome.facts.storm = cell.scenario == load::Scenario::kStorm;
  outcome.facts.headline_lane = headline_lane(cell);
  const Nanos started = now();
  take_canary(setup, outcome.facts);

  process::StartOptions start;
  start.cpus = setup.cpus.subject(cell.placement);
  auto subject = process::SubjectProcess::start(
      setup.subject->serve_command(cell.workload, subject_params(*config)), start, &outcome.exit);
  if (!subject) {
    start_failed(outcome, subject.error());
  } else {
    run_load_on(*subject, std::move(*config), setup, outcome);
    const bool died = !subject->alive();
    outcome.exit = subject->stop();
    settle_status(outcome, died);
  }
  outcome.wall = now() - started;
  return outcome;
}

}  // namespace tickmark::run
