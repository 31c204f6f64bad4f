#include "harness/run/run.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <span>

#include "harness/output/analysis.h"
#include "harness/process/machine.h"
#include "harness/run/canary.h"
#include "harness/run/preparation.h"
#include "harness/run/scratch.h"
#include "harness/run/signals.h"
#include "harness/run/together.h"
#include "harness/run/warm_ups.h"

namespace tickmark::run {
namespace {

bool interrupted() { return SignalWatch::caught() != 0; }

/// Trials of one run: what has been learnt from earlier ones, and where it stands.
class Trials {
 public:
  Trials(const Prepared& prepared, const RunRequest& request, ClientCache& clients, const CpuRoles& cpus,
         output::BundleWriter& bundle)
      : prepared_(prepared), request_(request), clients_(clients), cpus_(cpus), bundle_(bundle) {}

  /// Until the schedule or somebody's patience ends. Errors: the disk, or a client half that cannot be made.
  Expected<void> run_all();

  int done() const { return done_; }
  /// Workloads of which not one trial was measured, for reasons of this machine.
  std::vector<std::string> unmeasurable() const;

 private:
  /// The trials of one block, from `at` on; where it ends.
  Expected<size_t> run_block(size_t at);
  /// Where the next block begins, or the end of the schedule.
  Expected<size_t> choose(int block, size_t at);
  Expected<void> run_one(const PlannedTrial& trial, const PlannedCell& cell);
  /// All trials of a cell and block at the same time.
  Expected<void> run_side_by_side(std::span<const PlannedTrial> trials, const PlannedCell& cell);
  TrialSetup setup_of(const PlannedTrial& trial, const PlannedCell& cell, output::ProgressState& shown,
                      Nanos& last_reply);
  Expected<void> keep(const PlannedTrial& trial, const PlannedCell& cell, const TrialOutcome& outcome);
  /// Why a trial is recorded without being run, as (status, reason); empty status: run it.
  std::pair<std::string, std::string> verdict_before(const PlannedTrial& trial,
                                                     const PlannedCell& cell) const;
  void learn(const PlannedTrial& trial, const PlannedCell& cell, const TrialOutcome& outcome);
  Expected<void> record(const PlannedTrial& planned, const output::Json& trial, std::string_view status,
                        std::string_view reason);
  output::ProgressState state(const PlannedTrial& trial) const;
  /// Trials of the blocks that are expected from `trial` on.
  std::span<const PlannedTrial> expected_from(const PlannedTrial& trial) const;
  Nanos eta(const PlannedTrial& trial) const;

  const Prepared& prepared_;
  const RunRequest& request_;
  ClientCache& clients_;
  const CpuRoles& cpus_;
  output::BundleWriter& bundle_;

  int done_ = 0;
  int last_block_ = 0;                      // expected to be run
  std::vector<output::Json> records_;       // of the block
  const PlannedTrial* recorded_ = nullptr;  // the last one
  Nanos started_ = now();
  double estimated_done_s_ = 0;
  std::map<std::pair<std::string, std::string>, std::string>
      disqualified_;                                             // (subject, workload): first wrong reply
  std::map<std::pair<std::string, std::string>, int> failures_;  // (subject, cell): in a row
  std::set<std::string> measured_, environment_faults_;          // workloads
  CanaryLog canaries_;
  WarmUps warm_ups_;
};

output::ProgressState Trials::state(const PlannedTrial& trial) const {
  output::ProgressState state;
  state.subject = trial.subject;
  state.cell = trial.cell;
  state.block = trial.block;
  state.blocks = prepared_.plan.blocks;
  state.done = done_;
  state.total = done_ + static_cast<int>(expected_from(trial).size());
  state.eta = eta(trial);
  return state;
}

std::span<const PlannedTrial> Trials::expected_from(const PlannedTrial& trial) const {
  const auto& schedule = prepared_.plan.schedule;
  const auto at = static_cast<size_t>(&trial - schedule.data()) + (recorded_ == &trial ? 1 : 0);
  size_t end = at;
  while (end < schedule.size() && schedule[end].block <= last_block_) ++end;
  return std::span(schedule).subspan(at, end - at);
}

/// The estimate of what is left, corrected by how good the estimate has been so far.
Nanos Trials::eta(const PlannedTrial& trial) const {
  double left = 0;
  for (const PlannedTrial& next : expected_from(trial)) {
    left += estimated_trial_s(*prepared_.plan.cell(next.cell));
  }
  const double pace = estimated_done_s_ > 5 ? seconds(now() - started_) / estimated_done_s_ : 1;
  return from_seconds(left * pace);
}

std::pair<std::string, std::string> Trials::verdict_before(const PlannedTrial& trial,
                                                           const PlannedCell& cell) const {
  if (!prepared_.subjects.contains(trial.subject)) return {"unsupported", "is not available on this machine"};
  if (const auto found = disqualified_.find({trial.subject, cell.workload}); found != disqualified_.end()) {
    return {"wrong_reply", fmt::format("not run: disqualified from {} - {}", cell.workload, found->second)};
  }
  if (const auto found = failures_.find({trial.subject, cell.id});
      found != failures_.end() && found->second >= 2) {
    return {"failed", "not run: failed or hung twice in a row in this cell"};
  }
  return {};
}

void Trials::learn(const PlannedTrial& trial, const PlannedCell& cell, const TrialOutcome& outcome) {
  if (outcome.status == "wrong_reply") disqualified_[{trial.subject, cell.workload}] = outcome.reason;
  int& failures = failures_[{trial.subject, cell.id}];
  failures = outcome.status == "failed" || outcome.status == "hung" ? failures + 1 : 0;
  if (outcome.environment_fault) environment_faults_.insert(cell.workload);
  if (outcome.status == "ok" || outcome.status == "saturated") measured_.insert(cell.workload);
}

Expected<void> Trials::record(const PlannedTrial& planned, const output::Json& trial, std::string_view status,
                              std::string_view reason) {
  if (auto written = bundle_.append_trial(trial); !written) return written;
  if (request_.next_blocks) records_.push_back(trial);
  recorded_ = &planned;
  estimated_done_s_ += estimated_trial_s(*prepared_.plan.cell(planned.cell));
  ++done_;
  if (request_.progress) request_.progress->trial_ended(state(planned), status, reason);
  return {};
}

Expected<void> Trials::run_one(const PlannedTrial& trial, const PlannedCell& cell) {
  if (const auto [status, reason] = verdict_before(trial, cell); !status.empty()) {
    return record(trial, unrun_trial_to_json(status, reason, trial, cell), status, reason);
  }
  output::ProgressState shown = state(trial);
  Nanos last_reply = now();
  auto outcome = run_trial(setup_of(trial, cell, shown, last_reply));
  if (!outcome) return std::unexpected(outcome.error());
  return keep(trial, cell, *outcome);
}

TrialSetup Trials::setup_of(const PlannedTrial& trial, const PlannedCell& cell, output::ProgressState& shown,
                            Nanos& last_reply) {
  TrialSetup setup;
  setup.trial = &trial;
  setup.cell = &cell;
  setup.subject = &prepared_.subjects.at(trial.subject);
  setup.clients = &clients_;
  setup.cpus = cpus_;
  setup.interrupted = interrupted;
  setup.canaries = &canaries_;
  setup.warmup = warm_ups_.of(cell);
  setup.progress = [this, &shown, &last_reply](Nanos, uint64_t completed) {
    if (!request_.progress) return;
    if (completed != shown.completed) last_reply = now();
    shown.completed = completed;
    shown.silent = now() - last_reply;
    request_.progress->tick(shown);
  };
  return setup;
}

Expected<void> Trials::keep(const PlannedTrial& trial, const PlannedCell& cell, const TrialOutcome& outcome) {
  learn(trial, cell, outcome);
  for (const TaggedHistogram& tagged : trial_histograms(outcome, trial)) {
    const Nanos start = outcome.window_wall > Nanos{0} ? outcome.window_wall : outcome.started_wall;
    auto written = bundle_.append_histogram(tagged.tag, start, outcome.facts.load.window, tagged.histogram);
    if (!written) return written;
  }
  const output::Json json = trial_to_json(outcome, trial, cell);
  warm_ups_.learn(json);
  return record(trial, json, outcome.status, outcome.reason);
}

Expected<void> Trials::run_side_by_side(std::span<const PlannedTrial> trials, const PlannedCell& cell) {
  output::ProgressState shown = state(trials.front());
  Nanos last_reply = now();
  std::vector<TrialSetup> setups;
  for (const PlannedTrial& trial : trials) {
    const auto [status, reason] = verdict_before(trial, cell);
    if (status.empty()) {
      setups.push_back(setup_of(trial, cell, shown, last_reply));
    } else if (auto ok = record(trial, unrun_trial_to_json(status, reason, trial, cell), status, reason);
               !ok) {
      return ok;
    }
  }
  if (setups.empty()) return {};
  auto outcomes = run_together(setups);
  if (!outcomes) return std::unexpected(outcomes.error());
  for (size_t i = 0; i < setups.size(); ++i) {
    if (auto ok = keep(*setups[i].trial, cell, (*outcomes)[i]); !ok) return ok;
  }
  return {};
}

Expected<void> Trials::run_all() {
  const auto& schedule = prepared_.plan.schedule;
  auto at = choose(-1, 0);
  while (at && *at < schedule.size() && !interrupted()) {
    const int block = schedule[*at].block;
    at = run_block(*at);
    if (at && !interrupted()) at = choose(block, *at);
  }
  if (!at) return std::unexpected(at.error());
  return {};
}

Expected<size_t> Trials::run_block(size_t at) {
  const auto& schedule = prepared_.plan.schedule;
  const int block = schedule[at].block;
  records_.clear();
  while (at < schedule.size() && schedule[at].block == block && !interrupted()) {
    if (request_.progress) request_.progress->tick(state(schedule[at]));
    const PlannedCell& cell = *prepared_.plan.cell(schedule[at].cell);
    size_t end = at + 1;
    while (cell.together && end < schedule.size() && schedule[end].block == block &&
           schedule[end].cell == cell.id)
      ++end;
    auto ok = cell.together ? run_side_by_side(std::span(schedule).subspan(at, end - at), cell)
                            : run_one(schedule[at], cell);
    if (!ok) return std::unexpected(ok.error());
    at = end;
  }
  warm_ups_.end_block();
  return at;
}

Expected<size_t> Trials::choose(int block, size_t at) {
  const auto& schedule = prepared_.plan.schedule;
  if (!request_.next_blocks) {
    last_block_ = prepared_.plan.blocks;
    return at;
  }
  auto next = request_.next_blocks(prepared_.plan, block, records_);
  if (!next) return std::unexpected(next.error());
  if (!*next) return schedule.size();
  last_block_ = (*next)->last;
  while (at < schedule.size() && schedule[at].block < (*next)->first) ++at;
  return at;
}

std::vector<std::string> Trials::unmeasurable() const {
  std::vector<std::string> workloads;
  for (const std::string& workload : environment_faults_) {
    if (!measured_.contains(workload)) workloads.push_back(workload);
  }
  return workloads;
}

RunOutcome skipped_outcome(const Plan& plan) {
  RunOutcome outcome;
  outcome.status = "skipped";
  outcome.exit_code = 77;
  for (const PlannedSubject& subject : plan.subjects) {
    outcome.notes.push_back(
        fmt::format("{} was skipped: {}{}{}", subject.id,
                    subject.available ? "it speaks none of the workloads asked for" : subject.reason,
                    subject.install.empty() ? "" : "; install it with: ", subject.install));
  }
  return outcome;
}

Expected<void> finish(output::BundleWriter& bundle, const Trials& trials, const RunOutcome& outcome,
                      Nanos measured) {
  auto analysed = analyse_bundle(bundle.folder());
  if (!analysed) return std::unexpected(analysed.error());
  return bundle.write_document("end.json", {{"schema", "tickmark.end/1"},
                                            {"status", outcome.status},
                                            {"signal", SignalWatch::caught()},
                                            {"trials", trials.done()},
                                            {"measured_s", seconds(measured)},
                                            {"notes", outcome.notes},
                                            {"ended_utc", output::utc_text(output::wall_clock())}});
}

}  // namespace

Expected<Plan> dry_run(process::Registry& registry, const RunRequest& request) {
  ClientCache clients({}, request.seed);
  auto prepared = prepare(
      registry, request, clients, CpuRoles::of_this_process(), [] { return false; }, false);
  if (!prepared) return std::unexpected(prepared.error());
  return std::move(prepared->plan);
}

Expected<RunOutcome> run(process::Registry& registry, const RunRequest& request) {
  if (auto free = output::BundleWriter::check_free(request.output); !free)
    return std::unexpected(free.error());
  auto scratch = Scratch::create();
  if (!scratch) return std::unexpected(scratch.error());
  const SignalWatch watch;
  ClientCache clients(scratch->folder(), request.seed);
  const CpuRoles cpus = CpuRoles::of_this_process();
  const Nanos started = now();
  auto prepared = prepare(registry, request, clients, cpus, interrupted, true);
  if (!prepared) return std::unexpected(prepared.error());
  RunOutcome outcome;
  if (interrupted()) {
    outcome.status = "interrupted";
    outcome.exit_code = 128 + SignalWatch::caught();
    outcome.notes.push_back("interrupted during the calibration; nothing was written");
    return outcome;
  }
  if (prepared->nothing_to_do) return skipped_outcome(prepared->plan);
  const Plan& plan = prepared->plan;
  if (auto enough = ensure_descriptors(plan); !enough) return std::unexpected(enough.error());
  if (request.progress && !request.next_blocks) request.progress->say(plan_text(plan));
  if (!plan.calibration.note.empty()) outcome.notes.push_back(plan.calibration.note);

  auto bundle = output::BundleWriter::create(request.output, plan_to_json(plan),
                                             process::to_json(process::inspect_machine()));
  if (!bundle) return std::unexpected(bundle.error());
  outcome.bundle = bundle->folder();
  Trials trials(*prepared, request, clients, cpus, *bundle);
  if (auto ok = trials.run_all(); !ok) return std::unexpected(ok.error());
  const Nanos measured = now() - started;
  if (request.conform && !interrupted()) {
    auto finding = request.conform(*bundle, plan, interrupted);
    if (finding) {
      outcome.exit_code = *finding;
    } else {
      outcome.notes.push_back(fmt::format("the conformance pass could not run: {}", finding.error().message));
      outcome.exit_code = exit_code(finding.error().kind);
    }
  }
  for (const std::string& workload : trials.unmeasurable()) {
    outcome.notes.push_back(
        fmt::format("nothing could be measured for workload {} on this machine", workload));
    outcome.exit_code = 3;
  }
  outcome.status = interrupted() ? "interrupted" : "complete";
  if (interrupted()) outcome.exit_code = 128 + SignalWatch::caught();
  if (auto ok = finish(*bundle, trials, outcome, measured); !ok) return std::unexpected(ok.error());
  return outcome;
}

Expected<output::Bundle> analyse_bundle(const std::filesystem::path& folder) {
  auto bundle = output::read_bundle(folder);
  if (!bundle) return bundle;
  bundle->analysis = output::analyse(*bundle);
  auto writer = output::BundleWriter::open(folder);
  Expected<void> written =
      writer ? writer->write_document("analysis.json", bundle->analysis) : std::unexpected(writer.error());
  // Somebody else's bundle may be read-only; its numbers can be told all the same.
  if (!written) bundle->notes.push_back(written.error().message);
  return bundle;
}

}  // namespace tickmark::run
