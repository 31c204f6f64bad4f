#include "harness/cli/compare_counted.h"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/cli/compared_subject.h"
#include "harness/cli/units.h"
#include "harness/output/bundle_writer.h"
#include "harness/process/machine.h"
#include "harness/process/paths.h"
#include "harness/run/counted.h"
#include "harness/run/scratch.h"
#include "harness/run/signals.h"
#include "harness/run/trial.h"

namespace tickmark::cli {
namespace {

namespace fs = std::filesystem;
using output::CountedComparison;
using output::CountedQuestion;
using run::CountedMetric;

constexpr const char* kUsualWorkloads[] = {"sockets", "hello"};

/// Client halves are pure functions of it, and nothing here is drawn.
constexpr uint64_t kClientSeed = 1;

bool interrupted() { return run::SignalWatch::caught() != 0; }

bool both_speak(const std::pair<ComparedSubject, ComparedSubject>& subjects, const std::string& workload) {
  return speaks(subjects.first.workloads, workload, "") && speaks(subjects.second.workloads, workload, "");
}

Expected<std::vector<std::string>> choose_workloads(
    process::Registry& registry, const std::string& asked,
    const std::pair<ComparedSubject, ComparedSubject>& subjects) {
  std::vector<std::string> chosen;
  if (!asked.empty()) {
    auto known = registry.workload(asked);
    if (!known) return std::unexpected(known.error());
    if (both_speak(subjects, asked)) chosen.push_back(asked);
  } else {
    for (const char* workload : kUsualWorkloads) {
      if (both_speak(subjects, workload)) chosen.push_back(workload);
    }
  }
  if (!chosen.empty()) return chosen;
  return usage_error(fmt::format(
      "{} and {} have no workload in common that could be counted ({})", subjects.first.subject.id,
      subjects.second.subject.id,
      asked.empty() ? fmt::format("one of {}", fmt::join(kUsualWorkloads, ", ")) : "--workload " + asked));
}

CountedQuestion blank_question(const std::string& workload, CountedMetric metric) {
  const bool instructions = metric == CountedMetric::kInstructions;
  CountedQuestion question;
  question.workload = workload;
  question.metric = instructions ? "instructions_per_request" : "system_calls_per_request";
  question.title = instructions ? "instructions per request" : "system calls per request";
  return question;
}

/// Counts in turn, and keeps on the disk what is known.
class Counting {
 public:
  Counting(const CompareCounted& asked, const std::pair<ComparedSubject, ComparedSubject>& subjects,
           run::ClientCache& clients, fs::path scratch, CountedComparison& comparison)
      : asked_(asked),
        subjects_(subjects),
        clients_(clients),
        scratch_(std::move(scratch)),
        comparison_(comparison) {}

  Expected<void> ask(const std::string& workload, CountedMetric metric) {
    auto client = clients_.get(workload, "", {});
    if (!client) return std::unexpected(client.error());
    run::CountSetup setup;
    setup.workload = workload;
    setup.client = *client;
    setup.requests = asked_.requests;
    setup.scratch = scratch_;
    setup.interrupted = interrupted;
    comparison_.questions.push_back(blank_question(workload, metric));
    CountedQuestion& question = comparison_.questions.back();
    for (int i = 0; i < comparison_.rules.counts && !interrupted(); ++i) {
      for (const bool candidate : {false, true}) {
        setup.subject = &(candidate ? subjects_.second : subjects_.first).subject;
        setup.evidence = i == 0 ? evidence(workload, candidate) : fs::path();
        count(setup, metric, candidate, question);
        if (failed(question) || interrupted()) break;
      }
      if (failed(question)) break;
    }
    return keep();
  }

  Expected<void> keep() const {
    return output::write_atomically(fs::path(asked_.output) / "counted.json",
                                    output::document_text(output::to_json(comparison_)));
  }

 private:
  static bool failed(const CountedQuestion& question) {
    return !question.baseline_fault.empty() || !question.candidate_fault.empty() ||
           !question.tool_fault.empty();
  }

  fs::path evidence(const std::string& workload, bool candidate) const {
    return fs::path(asked_.output) / fmt::format("{}.{}", workload, candidate ? "candidate" : "baseline");
  }

  /// One count into `question`, or what kept it from being made.
  void count(const run::CountSetup& setup, CountedMetric metric, bool candidate, CountedQuestion& question) {
    auto counted = run::count_per_request(setup, metric);
    std::vector<double>& counts = candidate ? question.candidate : question.baseline;
    if (counted) {
      counts.push_back(*counted);
    } else if (interrupted()) {
      return;
    } else if (counted.error().kind == ErrorKind::kSubject) {
      (candidate ? question.candidate_fault : question.baseline_fault) = counted.error().message;
    } else {
      question.tool_fault = counted.error().message;
    }
    say(fmt::format("{} {} of {}, count {}: {}", setup.workload, question.title, setup.subject->id,
                    counts.size() + (counted ? 0 : 1),
                    counted ? fmt::format("{:.7g}", *counted) : counted.error().message));
  }

  void say(const std::string& text) const {
    if (asked_.progress) asked_.progress->say(text);
  }

  const CompareCounted& asked_;
  const std::pair<ComparedSubject, ComparedSubject>& subjects_;
  run::ClientCache& clients_;
  fs::path scratch_;
  CountedComparison& comparison_;
};

Expected<void> make_folder(const fs::path& folder) {
  if (auto free = output::BundleWriter::check_free(folder); !free) return free;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    return environment_error(fmt::format("cannot make {}: {}; name another folder with --output",
                                         folder.string(), failure.message()));
  }
  return output::write_atomically(folder / "machine.json",
                                  output::document_text(process::to_json(process::inspect_machine())));
}

}  // namespace

Expected<CountedRun> compare_counted(const CompareCounted& asked) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  auto subjects = compared_subjects(*registry, asked.baseline, asked.candidate);
  if (!subjects) return std::unexpected(subjects.error());
  for (const ComparedSubject* side : {&subjects->first, &subjects->second}) {
    if (const std::string why = run::why_not_countable(side->subject); !why.empty()) return usage_error(why);
  }
  auto workloads = choose_workloads(*registry, asked.workload, *subjects);
  if (!workloads) return std::unexpected(workloads.error());
  auto scratch = run::Scratch::create(), files = run::Scratch::create();
  if (!scratch || !files) return std::unexpected((scratch ? files : scratch).error());
  auto tools = run::check_counters(scratch->folder());
  if (!tools) return std::unexpected(tools.error());
  if (auto made = make_folder(asked.output); !made) return std::unexpected(made.error());

  const run::SignalWatch watch;
  CountedRun counted;
  CountedComparison& comparison = counted.comparison;
  comparison.baseline = subjects->first.subject.id;
  comparison.candidate = subjects->second.subject.id;
  comparison.requests = asked.requests;
  comparison.tools = *tools;
  comparison.folder = asked.output;
  comparison.command = asked.command;
  run::ClientCache clients(files->folder(), kClientSeed);
  Counting counting(asked, *subjects, clients, scratch->folder(), comparison);
  for (const std::string& workload : *workloads) {
    for (const CountedMetric metric : run::kCountedMetrics) {
      if (interrupted()) break;
      if (auto ok = counting.ask(workload, metric); !ok) return std::unexpected(ok.error());
    }
  }
  if (interrupted()) counted.interrupted = 128 + run::SignalWatch::caught();
  return counted;
}

}  // namespace tickmark::cli
