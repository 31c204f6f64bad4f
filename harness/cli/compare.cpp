// tickmark compare: has the candidate become slower than the baseline? Two subjects, run now and interleaved;
// or two bundles, where something relates them.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/cli/compare_bundles.h"
#include "harness/cli/compare_subjects.h"
#include "harness/cli/comparison_formats.h"
#include "harness/cli/plan_options.h"
#include "harness/cli/run_identity.h"
#include "harness/cli/verb.h"
#include "harness/output/bundle_writer.h"

namespace tickmark::cli {
namespace {

struct CompareFlags {
  std::string baseline, candidate;
  std::string gate = "default";
  std::string workload, output, junit, summary, subject;
  PlanOptions plan;
  bool quiet = false;
  bool no_confirm = false;
  bool allow_inconclusive = false;
};

bool is_bundle(const std::string& text) {
  std::error_code failure;
  return std::filesystem::is_directory(text, failure);
}

Expected<CompareSubjects> subjects_request(const CompareFlags& flags, const Invocation& invocation) {
  auto overrides = overrides_of(flags.plan);
  if (!overrides) return std::unexpected(overrides.error());
  CompareSubjects request;
  request.overrides = std::move(*overrides);
  request.baseline = flags.baseline;
  request.candidate = flags.candidate;
  request.suite = flags.gate == "full" ? "gate_full" : "gate";
  request.workload = flags.workload;
  request.confirm = !flags.no_confirm;
  request.seed = seed_of(flags.plan);
  request.command = repeatable(invocation.command, flags.plan, request.seed);
  request.output = flags.output.empty() ? default_output("compare") : flags.output;
  return request;
}

Expected<CompareOutcome> compare(const CompareFlags& flags, const Invocation& invocation) {
  const bool baseline = is_bundle(flags.baseline), candidate = is_bundle(flags.candidate);
  if (baseline != candidate) {
    return usage_error(fmt::format(
        "'{}' is a folder and '{}' is a subject; compare two bundles or two subjects",
        baseline ? flags.baseline : flags.candidate, baseline ? flags.candidate : flags.baseline));
  }
  if (baseline) {
    auto comparison = compare_bundles(flags.baseline, flags.candidate, flags.subject);
    if (!comparison) return std::unexpected(comparison.error());
    comparison->command = invocation.command;
    return CompareOutcome{std::move(*comparison), 0};
  }
  auto request = subjects_request(flags, invocation);
  if (!request) return std::unexpected(request.error());
  output::Progress progress = output::Progress::on_stderr();
  if (!flags.quiet) request->progress = &progress;
  return compare_subjects(*request);
}

/// A step summary is shared by the commands of a step: each adds to it.
Expected<void> append_to(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << text;
  if (file.flush()) return {};
  return environment_error(fmt::format("cannot write the summary {}: {}; name a writable file with --summary",
                                       path, std::strerror(errno)));
}

Expected<void> write_files(const CompareFlags& flags, const output::Comparison& comparison) {
  if (!flags.junit.empty()) {
    auto written = output::write_atomically(flags.junit, comparison_junit(comparison));
    if (!written) return written;
  }
  if (flags.summary.empty()) return {};
  return append_to(flags.summary, comparison_markdown(comparison));
}

Expected<int> run_verb(const CompareFlags& flags, const Invocation& invocation) {
  auto outcome = compare(flags, invocation);
  if (!outcome) return std::unexpected(outcome.error());
  const output::Comparison& comparison = outcome->comparison;
  if (outcome->interrupted != 0) {
    fmt::print(stderr, "interrupted: no verdict; what was measured is in {}\n", comparison.bundle);
    return outcome->interrupted;
  }
  if (auto ok = write_files(flags, comparison); !ok) return std::unexpected(ok.error());
  if (invocation.json) {
    fmt::print("{}", output::document_text(output::to_json(comparison)));
  } else {
    fmt::print("{}", comparison_text(comparison));
  }
  const int code = output::exit_code_of(comparison.result.verdict);
  return code == kInconclusive && flags.allow_inconclusive ? kOk : code;
}

}  // namespace

void add_compare(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* verb = add_verb(app, invocation, "compare",
                            "has CANDIDATE become slower than BASELINE? exit code 0 no, 1 yes, 4 not known",
                            [flags, &invocation] { return run_verb(*flags, invocation); });
  verb->add_option("baseline", flags->baseline, "a subject, name[@version][:key=value,...], or a bundle")
      ->required();
  verb->add_option("candidate", flags->candidate, "another one of the same kind")->required();
  verb->add_option("--gate", flags->gate,
                   "default: CPU per request, memory per connection; full: throughput and latency, too")
      ->check(CLI::IsMember({"default", "full"}))
      ->capture_default_str();
  verb->add_option("--workload", flags->workload, "sockets or hello; default: the first that both speak");
  add_plan_options(*verb, flags->plan, "the gate's");
  verb->add_option("--subject", flags->subject, "of two bundles: whom to compare");
  verb->add_option("--output", flags->output,
                   "folder of the bundle; default: tickmark-results/<UTC>-compare");
  verb->add_option("--junit", flags->junit, "write JUnit XML to this file");
  verb->add_option("--summary", flags->summary, "append Markdown to this file, as $GITHUB_STEP_SUMMARY");
  verb->add_flag("--no-confirm", flags->no_confirm, "believe a regression seen once (more false alarms)");
  verb->add_flag("--allow-inconclusive", flags->allow_inconclusive, "exit 0 instead of 4");
  verb->add_flag("--quiet", flags->quiet, "no progress");
}

}  // namespace tickmark::cli
