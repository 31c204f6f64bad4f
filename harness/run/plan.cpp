#include "harness/run/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "harness/run/plan_cells.h"
#include "harness/run/warm_ups.h"

namespace tickmark::run {
namespace {

constexpr const char* kRerunRule =
    "Void blocks are not run again: they stay in the bundle, marked, and a metric with fewer than 6 valid "
    "blocks gets no interval.";

}  // namespace

const PlannedCell* Plan::cell(const std::string& id) const {
  const auto found = std::ranges::find(cells, id, &PlannedCell::id);
  return found == cells.end() ? nullptr : &*found;
}

const PlannedSubject* Plan::subject(const std::string& id) const {
  const auto found = std::ranges::find(subjects, id, &PlannedSubject::id);
  return found == subjects.end() ? nullptr : &*found;
}

Expected<Suite> apply_overrides(Suite suite, const Overrides& overrides,
                                const std::vector<WorkloadSpec>& workloads) {
  for (const std::string& wanted : overrides.workloads) {
    if (auto spec = find_workload(workloads, wanted); !spec) return std::unexpected(spec.error());
  }
  if (!overrides.workloads.empty()) {
    std::erase_if(suite.cells, [&](const CellTemplate& cell) {
      return std::ranges::find(overrides.workloads, cell.workload) == overrides.workloads.end();
    });
  }
  if (suite.cells.empty()) {
    return usage_error(fmt::format("suite {} has no cell of workload {}; choose another --suite", suite.name,
                                   fmt::join(overrides.workloads, ", ")));
  }
  if (!overrides.reference_subject.empty()) suite.reference_subject = overrides.reference_subject;
  for (CellTemplate& cell : suite.cells) {
    if (overrides.connections) cell.connections = *overrides.connections;
    if (overrides.blocks) cell.blocks = *overrides.blocks;
    if (overrides.duration) cell.duration = *overrides.duration;
    if (overrides.rate_per_s && cell.open_loop) {
      cell.capacity_shares.clear();
      cell.rate_per_s = overrides.rate_per_s;
    }
  }
  return suite;
}

std::vector<CalibrationNeed> calibration_needs(const Suite& suite,
                                               const std::vector<WorkloadSpec>& workloads) {
  std::vector<CalibrationNeed> needs;
  for (const CellTemplate& cell : suite.cells) {
    const auto spec = find_workload(workloads, cell.workload);
    if (!spec || cell.capacity_shares.empty()) continue;
    const std::string key = calibration_key(cell, **spec);
    if (std::ranges::find(needs, key, &CalibrationNeed::key) != needs.end()) continue;
    CalibrationNeed need{.key = key,
                         .workload = cell.workload,
                         .variant = cell.capacity_of.empty() ? cell.variant : cell.capacity_of,
                         .connections = cell.connections,
                         .placement = cell.placement.value_or((*spec)->placement),
                         .duration = suite.calibration_duration,
                         .params = {}};
    for (const ParameterSpec& param : (*spec)->params) need.params[param.name] = param.fallback;
    for (const auto& [name, value] : cell.params) need.params[name] = value;
    needs.push_back(std::move(need));
  }
  return needs;
}

Expected<std::string> choose_reference(const Suite& suite, const std::vector<PlannedSubject>& subjects) {
  std::string first;
  for (const PlannedSubject& subject : subjects) {
    if (!subject.available) continue;
    if (subject.id == suite.reference_subject) return subject.id;
    if (first.empty()) first = subject.id;
  }
  if (first.empty()) {
    return environment_error(
        "none of the selected subjects is available; 'tickmark list subjects' tells why and what installs "
        "them");
  }
  return first;
}

Expected<Plan> make_plan(const PlanInput& input) {
  auto suite = apply_overrides(input.suite, input.overrides, input.workloads);
  if (!suite) return std::unexpected(suite.error());
  auto reference = choose_reference(*suite, input.subjects);
  if (!reference) return std::unexpected(reference.error());
  auto cells = make_cells(*suite, input);
  if (!cells) return std::unexpected(cells.error());

  Plan plan;
  plan.tool = input.tool;
  plan.suite = suite->name;
  plan.seed = input.seed;
  plan.created_utc = input.created_utc;
  plan.command = input.command;
  plan.reference_subject = *reference;
  plan.calibration = input.calibration;
  plan.subjects = input.subjects;
  plan.cells = std::move(*cells);
  plan.schedule = make_schedule(plan.cells, input.seed);
  plan.rerun_rule = output::text_at(input.gate, "rerun_rule", kRerunRule);
  plan.warmup_rule = WarmUps::rule();
  plan.conformance = input.conformance;
  plan.gate = input.gate;
  std::set<std::string> used;
  for (const PlannedCell& cell : plan.cells) {
    plan.blocks = std::max(plan.blocks, cell.blocks);
    plan.estimated_measured_s +=
        estimated_trial_s(cell) * cell.blocks * static_cast<double>(cell.subjects.size());
    used.insert(cell.workload);
  }
  for (const CalibrationNeed& need : calibration_needs(*suite, input.workloads)) {
    plan.estimated_measured_s += estimated_calibration_s(need);
  }
  for (const WorkloadSpec& spec : input.workloads) {
    if (used.contains(spec.id)) plan.workloads.push_back(spec);
  }
  return plan;
}

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format(
      "Plan: suite {}, {} cells, {} trials in {} blocks, seed {}, about {:.0f} s measured\n", plan.suite,
      plan.cells.size(), plan.schedule.size(), plan.blocks, plan.seed, plan.estimated_measured_s);
  for (const PlannedCell& cell : plan.cells) {
    text += fmt::format("  {:<34} {:>2} blocks x {} subjects  {:>4.0f} ms", cell.id, cell.blocks,
                        cell.subjects.size(), seconds(cell.duration) * 1e3);
    if (cell.open_loop && cell.rate_per_s > 0) text += fmt::format("  {:.0f}/s", cell.rate_per_s);
    text += cell.placement == Placement::kShared ? "  shared\n" : "  isolated\n";
  }
  for (const PlannedSubject& subject : plan.subjects) {
    if (!subject.available) text += fmt::format("  skipped: {} - {}\n", subject.id, subject.reason);
  }
  return text;
}

}  // namespace tickmark::run
