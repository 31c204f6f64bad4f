#include "harness/run/trial.h"

#include <algorithm>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include "harness/output/bundle_writer.h"

namespace tickmark::run {
namespace {

/// Reading the counters of one thread takes some 10 us: beyond this many, doing it at the edges of the
/// window would disturb the window.
constexpr int kThreadsReadAtEdges = 128;

uint64_t own_thread_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
}

/// The window's edges, read in the generator's thread.
struct Edge {
  process::TreeUsage tree;
  process::SystemSnapshot system;
  Nanos own_cpu{0};
  uint64_t own_switches = 0;
};

Edge read_edge(const process::SubjectProcess& subject, process::UsageDetail detail) {
  return {subject.usage(detail), process::sample_system(), process::own_cpu_time(), own_thread_switches()};
}

void pin_to(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

Expected<load::LoadConfig> make_load(const TrialSetup& setup) {
  const PlannedCell& cell = *setup.cell;
  load::LoadConfig config;
  config.scenario = cell.scenario;
  config.warmup = cell.warmup;
  config.duration = cell.duration;
  config.seed = setup.trial->seed;
  config.cpu = setup.cpus.client();
  config.spin = setup.cpus.client_alone(cell.placement);
  config.realtime = cell.open_loop && !config.spin;
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

void start_failed(TrialOutcome& outcome, const Error& error) {
  outcome.reason = error.message;
  outcome.environment_fault = error.kind != ErrorKind::kSubject;
  outcome.status = outcome.exit.hung ? "hung" : outcome.exit.crashed ? "crashed" : "failed";
}

std::string end_sentence(const process::ExitReport& exit) {
  if (exit.signal != 0) return fmt::format("ended by signal {} during the load", exit.signal);
  return fmt::format("exited with status {} during the load", exit.code);
}

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
    samples.threads_sampled = samples.memory_after.threads <= kThreadsReadAtEdges;
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
  samples.window_begin = begin.tree;
  samples.window_end = end.tree;
  if (samples.has_window) {
    const Nanos subject_cpu = (end.tree - begin.tree).cpu_time;
    outcome.facts.environment =
        process::environment_between(begin.system, end.system, subject_cpu, end.own_cpu - begin.own_cpu);
    const uint64_t machine = end.system.context_switches - begin.system.context_switches;
    samples.machine_switches = machine - std::min(machine, end.own_switches - begin.own_switches);
    const double window = seconds(end.tree.at - begin.tree.at);
    if (window > 0) outcome.facts.subject_cpu_share = seconds(subject_cpu) / window;
  }
  outcome.facts.load = std::move(*report);
}

/// What the load's report says of the subject, gravest first. The exit report has been taken.
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
  outcome.facts.open_loop = cell.open_loop;
  outcome.facts.storm = cell.scenario == load::Scenario::kStorm;
  outcome.facts.headline_lane = headline_lane(cell);
  const Nanos started = now();

  Parameters params;
  for (const load::LaneConfig& lane : config->lanes) {
    params.insert(lane.client->subject_params.begin(), lane.client->subject_params.end());
  }
  process::StartOptions start;
  start.cpus = setup.cpus.subject(cell.placement);
  auto subject = process::SubjectProcess::start(setup.subject->serve_command(cell.workload, params), start,
                                                &outcome.exit);
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
