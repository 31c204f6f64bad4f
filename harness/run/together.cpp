#include "harness/run/together.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <optional>

#include "harness/output/bundle_writer.h"
#include "harness/run/trial_parts.h"

namespace tickmark::run {
namespace {

/// One of the subjects: its process, its trial, and where its lanes lie among all.
struct Arm {
  const TrialSetup* setup = nullptr;
  TrialOutcome outcome;
  std::optional<process::SubjectProcess> subject;
  process::UsageDetail detail = process::UsageDetail::kCpu;
  Edge begin, end;
  bool died = false;

  Nanos cpu_time() const { return (end.tree - begin.tree).cpu_time; }
};

TrialOutcome blank_outcome(const TrialSetup& setup) {
  TrialOutcome outcome;
  outcome.started_wall = output::wall_clock();
  outcome.facts.open_loop = setup.cell->open_loop;
  outcome.facts.headline_lane = headline_lane(*setup.cell);
  outcome.samples.alone = false;
  return outcome;
}

/// Whether it runs.
bool start(Arm& arm, const load::LoadConfig& config) {
  const PlannedCell& cell = *arm.setup->cell;
  process::StartOptions options;
  options.cpus = arm.setup->cpus.subject(cell.placement);
  auto subject = process::SubjectProcess::start(
      arm.setup->subject->serve_command(cell.workload, subject_params(config)), options, &arm.outcome.exit);
  if (!subject) {
    start_failed(arm.outcome, subject.error());
    return false;
  }
  arm.subject.emplace(std::move(*subject));
  return true;
}

load::LoadHooks hooks_of(std::vector<Arm>& arms) {
  load::LoadHooks hooks;
  hooks.interrupted = arms.front().setup->interrupted;
  hooks.progress = arms.front().setup->progress;
  hooks.on_ramp_end = [&arms] {
    for (Arm& arm : arms) {
      TrialSamples& samples = arm.outcome.samples;
      samples.memory_after = arm.subject->usage(process::UsageDetail::kMemory);
      samples.has_memory = true;
      samples.threads_sampled = samples.memory_after.threads <= kThreadsReadAtEdgesMax;
      if (samples.threads_sampled) arm.detail = process::UsageDetail::kThreads;
    }
  };
  hooks.on_window_start = [&arms] {
    for (Arm& arm : arms) {
      arm.outcome.window_wall = output::wall_clock();
      arm.begin = read_edge(*arm.subject, arm.detail);
    }
  };
  hooks.on_window_end = [&arms] {
    for (Arm& arm : arms) {
      arm.end = read_edge(*arm.subject, arm.detail);
      arm.outcome.samples.has_window = true;
    }
  };
  return hooks;
}

/// Whether the load failed because of this arm: not all of its connections were served.
bool unserved(const load::LoadReport& own) {
  return std::ranges::any_of(own.lanes, [](const load::LaneReport& lane) {
    return lane.connections_established < lane.connections_requested || lane.connections_never_served > 0;
  });
}

/// The part of the load's report that concerns arm `index`.
load::LoadReport part_of(const load::LoadReport& whole, size_t index, size_t lanes) {
  load::LoadReport part;
  part.client = whole.client;
  part.window = whole.window;
  part.interrupted = whole.interrupted;
  for (size_t lane = index * lanes; lane < (index + 1) * lanes && lane < whole.lanes.size(); ++lane) {
    part.lanes.push_back(whole.lanes[lane]);
    part.answered_between_hooks += whole.lanes[lane].answered_between_hooks;
  }
  return part;
}

void fill(std::vector<Arm>& arms, const load::LoadReport& report, size_t lanes) {
  Nanos all{0};
  for (const Arm& arm : arms) all += arm.cpu_time();
  for (size_t i = 0; i < arms.size(); ++i) {
    TrialOutcome& outcome = arms[i].outcome;
    outcome.loaded = true;
    outcome.facts.load = part_of(report, i, lanes);
    if (!report.failure.empty() && unserved(outcome.facts.load)) outcome.facts.load.failure = report.failure;
    if (outcome.samples.has_window)
      fill_window(outcome, arms[i].begin, arms[i].end, all - arms[i].cpu_time());
  }
}

/// Every arm, through one load.
void run_load_on(std::vector<Arm>& arms, load::LoadConfig config) {
  const std::vector<load::LaneConfig> own = std::move(config.lanes);
  config.lanes.clear();
  for (Arm& arm : arms) {
    arm.outcome.samples.memory_before = arm.subject->usage(process::UsageDetail::kMemory);
    for (load::LaneConfig lane : own) {
      lane.port = arm.subject->ready().port;
      config.lanes.push_back(std::move(lane));
    }
  }
  config.address = arms.front().subject->ready().address;
  config.port = arms.front().subject->ready().port;
  auto report = load::run_load(config, hooks_of(arms));
  pin_to(arms.front().setup->cpus.all);
  if (report) return fill(arms, *report, own.size());
  for (Arm& arm : arms) {
    arm.outcome.status = "failed";
    arm.outcome.reason = report.error().message;
    arm.outcome.environment_fault = report.error().kind == ErrorKind::kEnvironment;
  }
}

bool is_fault(const TrialOutcome& outcome) {
  return outcome.status != "ok" && outcome.status != "saturated" && outcome.status != "interrupted" &&
         outcome.status != "invalid";
}

/// Who ran beside one that failed was not measured as planned, through no fault of its own.
void spoil_the_others(std::vector<Arm>& arms) {
  const auto culprit = std::ranges::find_if(arms, [](const Arm& arm) { return is_fault(arm.outcome); });
  if (culprit == arms.end()) return;
  for (Arm& arm : arms) {
    if (is_fault(arm.outcome) || arm.outcome.status == "interrupted") continue;
    arm.outcome.status = "invalid";
    arm.outcome.reason = fmt::format("{}, which ran beside it, {}: {}", culprit->setup->trial->subject,
                                     culprit->outcome.status, culprit->outcome.reason);
  }
}

}  // namespace

Expected<std::vector<TrialOutcome>> run_together(const std::vector<TrialSetup>& setups) {
  assert(!setups.empty());
  auto config = make_load(setups.front());
  if (!config) return std::unexpected(config.error());
  const Nanos started = now();
  TrialFacts before;
  take_canary(setups.front(), before);
  std::vector<Arm> arms;
  bool all_run = true;
  for (const TrialSetup& setup : setups) {
    Arm& arm = arms.emplace_back();
    arm.setup = &setup;
    arm.outcome = blank_outcome(setup);
    arm.outcome.warmup = config->warmup;
    arm.outcome.facts.canary = before.canary;
    arm.outcome.facts.canary_usual = before.canary_usual;
    arm.outcome.facts.canary_spread = before.canary_spread;
    all_run = start(arm, *config) && all_run;
  }
  if (all_run) run_load_on(arms, std::move(*config));
  for (Arm& arm : arms) {
    if (!arm.subject) continue;
    arm.died = !arm.subject->alive();
    arm.outcome.exit = arm.subject->stop();
    if (all_run) settle_status(arm.outcome, arm.died);
  }
  spoil_the_others(arms);
  std::vector<TrialOutcome> outcomes;
  for (Arm& arm : arms) {
    arm.outcome.wall = now() - started;
    outcomes.push_back(std::move(arm.outcome));
  }
  return outcomes;
}

}  // namespace tickmark::run
