#include "harness/cli/compare_subjects.h"

#include <algorithm>
#include <fmt/format.h>

#include "harness/cli/compared_subject.h"
#include "harness/cli/comparison_formats.h"
#include "harness/cli/run_identity.h"
#include "harness/output/bundle_writer.h"
#include "harness/process/registry.h"
#include "harness/run/gate_run.h"

namespace tickmark::cli {
namespace {

/// The first workload of the suite that both speak; the one asked for, if they do.
Expected<std::string> choose_workload(const run::Suite& suite, const std::string& asked,
                                      const ComparedSubject& baseline, const ComparedSubject& candidate) {
  std::vector<std::string> offered;
  for (const run::CellTemplate& cell : suite.cells) {
    if (std::ranges::find(offered, cell.workload) == offered.end()) offered.push_back(cell.workload);
  }
  for (const std::string& workload : offered) {
    if (!asked.empty() && workload != asked) continue;
    if (speaks(baseline.workloads, workload, "") && speaks(candidate.workloads, workload, ""))
      return workload;
  }
  return usage_error(fmt::format("{} and {} have no workload in common that gate {} asks ({}{})",
                                 baseline.subject.id, candidate.subject.id, suite.name,
                                 asked.empty() ? "one of " : "--workload ",
                                 asked.empty() ? fmt::format("{}", fmt::join(offered, ", ")) : asked));
}

Expected<run::RunRequest> make_request(process::Registry& registry, const CompareSubjects& asked,
                                       const stats::GateRules& rules) {
  auto subjects = compared_subjects(registry, asked.baseline, asked.candidate);
  if (!subjects) return std::unexpected(subjects.error());
  const auto& [baseline, candidate] = *subjects;
  run::RunRequest request;
  request.suite = asked.suite;
  request.suites_folder = registry.paths().root / "harness" / "run" / "suites";
  auto suite = run::load_suite(request.suites_folder, request.suite);
  if (!suite) return std::unexpected(suite.error());
  auto workload = choose_workload(*suite, asked.workload, baseline, candidate);
  if (!workload) return std::unexpected(workload.error());
  request.subjects = {baseline.subject.id, candidate.subject.id};
  request.overrides = asked.overrides;
  request.overrides.workloads = {*workload};
  request.overrides.blocks = run::planned_blocks(rules);
  request.overrides.reference_subject = baseline.subject.id;
  request.gate = run::planned_gate(rules, baseline.subject.id, candidate.subject.id);
  request.seed = asked.seed;
  request.output = asked.output;
  request.command = asked.command;
  request.tool = tool_document();
  request.progress = asked.progress;
  return request;
}

}  // namespace

Expected<CompareOutcome> compare_subjects(const CompareSubjects& asked) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  stats::GateRules rules;
  rules.confirm = asked.confirm;
  auto request = make_request(*registry, asked, rules);
  if (!request) return std::unexpected(request.error());

  // What is known stands on the disk after every look.
  const auto keep = [&](const output::Comparison& comparison) -> Expected<void> {
    if (asked.progress) asked.progress->say(look_text(comparison));
    auto bundle = output::BundleWriter::open(request->output);
    if (!bundle) return std::unexpected(bundle.error());
    return bundle->write_document("gate.json", output::to_json(comparison));
  };
  run::GateRun gate(request->subjects[0], request->subjects[1], rules, keep);
  request->next_blocks = [&](const run::Plan& plan, int block, const std::vector<output::Json>& records) {
    return gate.next(plan, block, records);
  };
  auto ran = run::run(*registry, *request);
  if (!ran) return std::unexpected(ran.error());
  if (ran->status == "skipped") return environment_error(fmt::format("{}", fmt::join(ran->notes, "; ")));

  CompareOutcome outcome{gate.comparison(), ran->status == "interrupted" ? ran->exit_code : 0};
  outcome.comparison.bundle = ran->bundle.string();
  outcome.comparison.command = asked.command;
  for (const std::string& note : ran->notes) outcome.comparison.notes.push_back(note);
  if (auto bundle = output::BundleWriter::open(ran->bundle)) {
    if (auto ok = bundle->write_document("gate.json", output::to_json(outcome.comparison)); !ok)
      return std::unexpected(ok.error());
  }
  return outcome;
}

}  // namespace tickmark::cli
