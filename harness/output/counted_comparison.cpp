#include "harness/output/counted_comparison.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/output/comparison.h"

namespace tickmark::output {
namespace {

using stats::CountedSide;
using stats::Verdict;

std::string disagreement(const std::string& subject, const std::vector<double>& counts,
                         const CountedSide& side, const stats::CountedRules& rules) {
  std::vector<std::string> told;
  for (const double count : counts) told.push_back(fmt::format("{:.7g}", count));
  return fmt::format("the counts of {} do not agree ({}): they differ by {:.2g} %, at most {:g} % is allowed",
                     subject, fmt::join(told, ", "), side.spread * 100, rules.agreement * 100);
}

CountedOutcome uncounted(const CountedComparison& comparison, const CountedQuestion& question) {
  CountedOutcome outcome;
  if (!question.tool_fault.empty()) {
    outcome.why = fmt::format("the count failed, which says nothing of either: {}", question.tool_fault);
    return outcome;
  }
  const bool candidate_alone = question.baseline_fault.empty();
  if (candidate_alone) outcome.answer.verdict = Verdict::kRegression;
  outcome.why =
      fmt::format("{} could not be counted: {}", candidate_alone ? comparison.candidate : comparison.baseline,
                  candidate_alone ? question.candidate_fault : question.baseline_fault);
  return outcome;
}

Json question_json(const CountedComparison& comparison, const CountedQuestion& question) {
  const CountedOutcome outcome = outcome_of(comparison, question);
  Json json = {{"workload", question.workload},
               {"metric", question.metric},
               {"better", "lower"},
               {"verdict", stats::name_of(outcome.answer.verdict)},
               {"valid", outcome.valid},
               {"reason", outcome.why},
               {"baseline", question.baseline},
               {"candidate", question.candidate}};
  // JSON has no infinity: a ratio to nothing is absent.
  if (outcome.valid && std::isfinite(outcome.answer.ratio)) json["ratio"] = outcome.answer.ratio;
  return json;
}

}  // namespace

const char* const kNotSeenByCounting =
    "Not seen by counting: what the kernel does in a system call, I/O, memory and caches, branches, "
    "scheduling and "
    "locks, more than one connection, and the time that any of it takes: a slow instruction counts like a "
    "quick one.";

CountedOutcome outcome_of(const CountedComparison& comparison, const CountedQuestion& question) {
  if (!question.baseline_fault.empty() || !question.candidate_fault.empty() || !question.tool_fault.empty())
    return uncounted(comparison, question);
  CountedOutcome outcome;
  const auto wanted = static_cast<size_t>(comparison.rules.counts);
  if (question.baseline.size() != wanted || question.candidate.size() != wanted) {
    outcome.why = fmt::format("only {} of {} counts were made",
                              question.baseline.size() + question.candidate.size(), 2 * wanted);
    return outcome;
  }
  outcome.answer = stats::judge_counts(question.baseline, question.candidate, comparison.rules);
  const auto& [baseline, candidate, ratio, verdict] = outcome.answer;
  outcome.valid = baseline.agree && candidate.agree;
  if (!baseline.agree) {
    outcome.why = disagreement(comparison.baseline, question.baseline, baseline, comparison.rules);
  } else if (!candidate.agree) {
    outcome.why = disagreement(comparison.candidate, question.candidate, candidate, comparison.rules);
  } else {
    outcome.why =
        fmt::format("{:+.2f} %, {} than {:g} %; all counts within {:.2g} %", (ratio - 1) * 100,
                    verdict == Verdict::kRegression ? "more" : "no more", comparison.rules.margin * 100,
                    std::max(baseline.spread, candidate.spread) * 100);
  }
  return outcome;
}

Verdict verdict_of(const CountedComparison& comparison) {
  bool all_ok = !comparison.questions.empty();
  for (const CountedQuestion& question : comparison.questions) {
    const Verdict verdict = outcome_of(comparison, question).answer.verdict;
    if (verdict == Verdict::kRegression) return verdict;
    all_ok = all_ok && verdict == Verdict::kOk;
  }
  return all_ok ? Verdict::kOk : Verdict::kInconclusive;
}

Json to_json(const CountedComparison& comparison) {
  const Verdict verdict = verdict_of(comparison);
  Json json = {{"schema", "tickmark.counted/1"},
               {"verdict", stats::name_of(verdict)},
               {"exit_code", exit_code_of(verdict)},
               {"baseline", comparison.baseline},
               {"candidate", comparison.candidate},
               {"rules",
                {{"counts", comparison.rules.counts},
                 {"agreement", comparison.rules.agreement},
                 {"margin", comparison.rules.margin},
                 {"requests", comparison.requests},
                 {"connections", 1}}},
               {"metrics", Json::array()},
               {"not_seen", kNotSeenByCounting},
               {"tools", comparison.tools},
               {"bundle", comparison.folder},
               {"command", comparison.command}};
  for (const CountedQuestion& question : comparison.questions)
    json["metrics"].push_back(question_json(comparison, question));
  return json;
}

}  // namespace tickmark::output
