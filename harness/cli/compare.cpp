// tickmark compare: has the candidate become slower than the baseline? Two subjects, run now and interleaved,
// or counted; or two bundles, where something relates them.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/cli/compare_bundles.h"
#include "harness/cli/compare_counted.h"
#include "harness/cli/compare_subjects.h"
#include "harness/cli/comparison_formats.h"
#include "harness/cli/counted_formats.h"
#include "harness/cli/plan_options.h"
#include "harness/cli/run_identity.h"
#include "harness/cli/verb.h"
#include "harness/output/bundle_writer.h"
#include "harness/run/counted.h"

namespace tickmark::cli {
namespace {

struct CompareFlags {
  std::string baseline, candidate;
  std::string gate = "default";
  std::string workload, output, junit, summary, subject;
  PlanOptions plan;
  uint64_t requests = 0;
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

/// Flags that only one kind of gate understands.
Expected<void> check_gate(const CompareFlags& flags) {
  const bool counted = flags.gate == "counted";
  const std::pair<const char*, bool> timed[] = {
      {"--connections", flags.plan.connections != 0}, {"--rate", !flags.plan.rate.empty()},
      {"--duration", !flags.plan.duration.empty()},   {"--seed", flags.plan.seed != 0},
      {"--subject", !flags.subject.empty()},          {"--no-confirm", flags.no_confirm},
  };
  for (const auto& [flag, given] : timed) {
    if (counted && given) {
      return usage_error(
          fmt::format("{} has no meaning for --gate counted, which counts a fixed number of requests "
                      "over one connection; leave it out",
                      flag));
    }
  }
  if (!counted && flags.requests != 0)
    return usage_error("--requests is for --gate counted; the other gates take --rate and --duration");
  return {};
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

/// A comparison in every form that somebody may want, however it was made.
struct Told {
  std::string text, junit, markdown;
  output::Json document;
  int exit_code = 0;    ///< of the verdict
  int interrupted = 0;  ///< the exit code of an interrupted run; 0: it came to its end
};

Expected<Told> tell_timed(const CompareFlags& flags, const Invocation& invocation) {
  auto outcome = compare(flags, invocation);
  if (!outcome) return std::unexpected(outcome.error());
  const output::Comparison& comparison = outcome->comparison;
  return Told{comparison_text(comparison),
              comparison_junit(comparison),
              comparison_markdown(comparison),
              output::to_json(comparison),
              output::exit_code_of(comparison.result.verdict),
              outcome->interrupted};
}

Expected<Told> tell_counted(const CompareFlags& flags, const Invocation& invocation) {
  for (const std::string* side : {&flags.baseline, &flags.candidate}) {
    if (is_bundle(*side)) {
      return usage_error(
          fmt::format("'{}' is a folder, and --gate counted runs subjects; name two of them, as "
                      "reference_loop:binary=./old/subject_reference_loop",
                      *side));
    }
  }
  CompareCounted request;
  request.baseline = flags.baseline;
  request.candidate = flags.candidate;
  request.workload = flags.workload;
  request.requests = flags.requests != 0 ? flags.requests : run::kCountedRequests;
  request.command = invocation.command;
  request.output = flags.output.empty() ? default_output("counted") : flags.output;
  output::Progress progress = output::Progress::on_stderr();
  if (!flags.quiet) request.progress = &progress;
  auto counted = compare_counted(request);
  if (!counted) return std::unexpected(counted.error());
  const output::CountedComparison& comparison = counted->comparison;
  return Told{counted_text(comparison),
              counted_junit(comparison),
              counted_markdown(comparison),
              output::to_json(comparison),
              output::exit_code_of(verdict_of(comparison)),
              counted->interrupted};
}

/// A step summary is shared by the commands of a step: each adds to it.
Expected<void> append_to(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << text;
  if (file.flush()) return {};
  return environment_error(fmt::format("cannot write the summary {}: {}; name a writable file with --summary",
                                       path, std::strerror(errno)));
}

Expected<void> write_files(const CompareFlags& flags, const Told& told) {
  if (!flags.junit.empty()) {
    auto written = output::write_atomically(flags.junit, told.junit);
    if (!written) return written;
  }
  if (flags.summary.empty()) return {};
  return append_to(flags.summary, told.markdown);
}

Expected<int> run_verb(const CompareFlags& flags, const Invocation& invocation) {
  if (auto ok = check_gate(flags); !ok) return std::unexpected(ok.error());
  auto told = flags.gate == "counted" ? tell_counted(flags, invocation) : tell_timed(flags, invocation);
  if (!told) return std::unexpected(told.error());
  if (told->interrupted != 0) {
    fmt::print(stderr, "interrupted: no verdict; what was measured is in {}\n",
               output::text_at(told->document, "bundle"));
    return told->interrupted;
  }
  if (auto ok = write_files(flags, *told); !ok) return std::unexpected(ok.error());
  fmt::print("{}", invocation.json ? output::document_text(told->document) : told->text);
  return told->exit_code == kInconclusive && flags.allow_inconclusive ? kOk : told->exit_code;
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
  verb->add_option(
          "--gate", flags->gate,
          "default: CPU per request, memory per connection; full: throughput and latency, too; counted: "
          "instructions and system calls per request of our own subjects, to 1 %")
      ->check(CLI::IsMember({"default", "full", "counted"}))
      ->capture_default_str();
  verb->add_option("--workload", flags->workload,
                   "sockets or hello; default: the first that both speak, or, counted, each of them");
  add_plan_options(*verb, flags->plan, "the gate's");
  verb->add_option("--requests", flags->requests, "of each count; default 10000")
      ->check(CLI::Range(run::kCountedRequestsMin, uint64_t{10'000'000}));
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
