// tickmark run: trials of the plan plus the suite's conformance pass, into one bundle, with a report.

#include "harness/run/run.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cli/conformance_pass.h"
#include "harness/cli/pairs.h"
#include "harness/cli/plan_options.h"
#include "harness/cli/render.h"
#include "harness/cli/run_identity.h"
#include "harness/cli/verb.h"
#include "harness/output/history.h"
#include "harness/output/summary.h"

namespace tickmark::cli {
namespace {

struct RunFlags {
  std::vector<std::string> subjects;
  std::vector<std::string> workloads;
  std::string suite = "quick";
  PlanOptions changes;
  std::string plan;
  std::string output;
  std::string history;
  int blocks = 0;
  bool dry_run = false;
  bool no_conform = false;
  bool no_report = false;
};

Expected<run::Overrides> make_overrides(const RunFlags& options) {
  auto overrides = overrides_of(options.changes);
  if (!overrides) return overrides;
  overrides->workloads = options.workloads;
  if (options.blocks > 0) overrides->blocks = options.blocks;
  return overrides;
}

/// The conformance pass as `run` wants it: every verdict goes to the bundle as it is known.
run::ConformPass make_pass(process::Registry& registry, output::Progress& progress,
                           std::vector<std::string>& findings) {
  return [&registry, &progress, &findings](output::BundleWriter& bundle, const run::Plan& plan,
                                           const std::function<bool()>& interrupted) -> Expected<int> {
    PassRequest request;
    for (const auto& subject : plan.conformance.at("subjects")) request.subjects.push_back(subject);
    if (request.subjects.empty()) return kOk;
    request.repeat = plan.conformance.at("repeat").get<unsigned>();
    request.rules = plan.conformance.value("selection", std::vector<std::string>());
    request.background_connections = plan.conformance.value("background_connections", 0);
    auto traces = bundle.traces_folder();
    if (!traces) return std::unexpected(traces.error());
    request.traces = *traces;
    request.interrupted = interrupted;
    request.progress = [&progress](const std::string& subject, size_t done, size_t of) {
      if (done == of) progress.say(fmt::format("conformance of {}: {} rules judged", subject, of));
    };
    std::optional<Error> unwritten;
    request.verdict = [&bundle, &unwritten](const conformance::Verdict& verdict) {
      if (auto written = bundle.append_verdict(conformance::to_json(verdict)); !written)
        unwritten = written.error();
    };
    auto result = conformance_pass(registry, request);
    if (!result) return std::unexpected(result.error());
    if (unwritten) return std::unexpected(*unwritten);
    for (const std::string& sentence : result->skipped) progress.say(sentence);
    findings = result->findings;
    return findings.empty() ? kOk : kFinding;
  };
}

/// Subjects of the run whose order the rules can judge: those that play.
output::Json conformance_document(process::Registry& registry, const std::vector<std::string>& subjects) {
  output::Json ids = output::Json::array();
  std::vector<std::string> names = subjects;
  if (names.empty()) {
    for (const SubjectManifest& manifest : registry.subjects()) names.push_back(manifest.name);
  }
  for (const std::string& text : names) {
    auto name = SubjectName::parse(text);
    if (!name) continue;  // the run itself refuses it with the sentence
    auto subject = registry.resolve(*name);
    if (!subject) continue;
    const process::SubjectStatus status = registry.status(*subject);
    if (status.available() && std::ranges::count(status.description.features, "play") > 0)
      ids.push_back(subject->id);
  }
  return {{"subjects", ids}};
}

/// Whom the user names, else whom the suite does; nobody: every subject. A suite that cannot be read is
/// refused where it is run.
std::vector<std::string> chosen_subjects(const RunFlags& options, const std::filesystem::path& suites) {
  if (!options.subjects.empty() || !options.plan.empty()) return options.subjects;
  const auto suite = run::load_suite(suites, options.suite);
  return suite ? suite->subjects : std::vector<std::string>();
}

Expected<run::RunRequest> make_request(const RunFlags& options, const Invocation& invocation,
                                       process::Registry& registry) {
  auto overrides = make_overrides(options);
  if (!overrides) return std::unexpected(overrides.error());
  run::RunRequest request;
  request.suite = options.suite;
  request.suites_folder = registry.paths().root / "harness" / "run" / "suites";
  request.subjects = chosen_subjects(options, request.suites_folder);
  request.overrides = *overrides;
  request.seed = seed_of(options.changes);
  if (!options.plan.empty()) request.plan_file = options.plan;
  request.output = options.output.empty() ? default_output(options.suite) : options.output;
  // A plan that is repeated brings its own seed.
  request.command = options.plan.empty() ? repeatable(invocation.command, options.changes, request.seed)
                                         : invocation.command;
  request.tool = tool_document();
  if (!options.no_conform) request.conformance = conformance_document(registry, request.subjects);
  return request;
}

/// Report and closing words. Everything measured is on disk already; a report that fails does not undo it.
void conclude(const run::RunOutcome& outcome, const RunFlags& options,
              const std::vector<std::string>& findings, bool json) {
  auto bundle = run::analyse_bundle(outcome.bundle);
  std::string report;
  if (bundle && !options.no_report) {
    if (auto drawn = render_report(outcome.bundle, outcome.bundle, "html,md,csv,png,svg")) {
      report = (outcome.bundle / "report.html").string();
    } else {
      fmt::print(stderr, "no report: {}\n", drawn.error().message);
    }
  }
  if (json) {
    fmt::print("{}\n", output::Json{{"schema", "tickmark.run/1"},
                                    {"bundle", outcome.bundle.string()},
                                    {"report", report},
                                    {"status", outcome.status},
                                    {"exit_code", outcome.exit_code},
                                    {"findings", findings},
                                    {"notes", outcome.notes},
                                    {"analysis", bundle ? bundle->analysis : output::Json()}}
                           .dump(2));
    return;
  }
  if (bundle) fmt::print("{}", output::summary_text(*bundle));
  for (const std::string& finding : findings) fmt::print("FINDING: {}\n", finding);
  if (!report.empty()) fmt::print("Report  {}\n", report);
}

/// Adds the run to the history that was asked for, or says why it is none for it.
Expected<void> keep_in_history(const run::RunOutcome& outcome, const std::string& file) {
  auto bundle = output::read_bundle(outcome.bundle);
  if (!bundle) return std::unexpected(bundle.error());
  const auto record = output::history_record(*bundle);
  if (!record) {
    fmt::print(stderr, "note: {}\n", record.error().message);
    return {};
  }
  if (auto added = output::append_history(file, *record); !added) return added;
  fmt::print(stderr, "note: this run was added to {}; 'tickmark history {}' tells what has changed\n", file,
             file);
  return {};
}

Expected<int> run_verb(const RunFlags& options, const Invocation& invocation) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  auto request = make_request(options, invocation, *registry);
  if (!request) return std::unexpected(request.error());
  if (options.dry_run) {
    auto plan = run::dry_run(*registry, *request);
    if (!plan) return std::unexpected(plan.error());
    fmt::print("{}\n", invocation.json ? run::plan_to_json(*plan).dump(2) : run::plan_text(*plan));
    return kOk;
  }
  if (!options.history.empty()) {
    if (auto writable = output::check_history(options.history); !writable)
      return std::unexpected(writable.error());
  }
  output::Progress progress = output::Progress::on_stderr();
  std::vector<std::string> findings;
  if (!options.no_conform) request->conform = make_pass(*registry, progress, findings);
  request->progress = &progress;
  auto outcome = run::run(*registry, *request);
  if (!outcome) return std::unexpected(outcome.error());
  if (!invocation.json) {
    for (const std::string& note : outcome->notes) fmt::print(stderr, "note: {}\n", note);
  }
  if (!outcome->bundle.empty()) {
    conclude(*outcome, options, findings, invocation.json);
    if (!options.history.empty()) {
      if (auto kept = keep_in_history(*outcome, options.history); !kept) return std::unexpected(kept.error());
    }
  }
  return outcome->exit_code;
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RunFlags>();
  CLI::App* verb =
      add_verb(app, invocation, "run", "measure subjects, judge their callback order, write a report",
               [options, &invocation] { return run_verb(*options, invocation); });
  verb->add_option("subjects", options->subjects,
                   "name[@version][:key=value,...]; default: all that are available");
  verb->add_option("--workload", options->workloads, "only these (tickmark list workloads)");
  verb->add_option("--suite", options->suite, "smoke (< 60 s), quick (8 min), standard, full")
      ->capture_default_str();
  add_plan_options(*verb, options->changes, "the suite's");
  verb->add_option("--blocks", options->blocks, "instead of the suite's; an interval needs six")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--plan", options->plan, "repeat the plan.json of an earlier run");
  verb->add_option("--output", options->output,
                   "folder of the bundle; default: tickmark-results/<UTC>-<suite>");
  verb->add_option("--history", options->history,
                   "append the run's ratios to a canary to this file (tickmark history); default: nowhere");
  verb->add_flag("--dry-run", options->dry_run, "print the plan and its estimated time, measure nothing");
  verb->add_flag("--no-conform", options->no_conform, "leave out the conformance pass");
  verb->add_flag("--no-report", options->no_report, "leave out the report");
}

}  // namespace tickmark::cli
