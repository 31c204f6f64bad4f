#include "harness/cli/counted_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/cli/comparison_formats.h"
#include "harness/cli/units.h"
#include "harness/cli/xml_text.h"

namespace tickmark::cli {
namespace {

using output::CountedComparison;
using output::CountedOutcome;
using output::CountedQuestion;

/// "2345.7"; the first of them where they do not agree, for which `valid` stands beside it.
std::string count_text(const std::vector<double>& counts, double middle) {
  if (counts.empty()) return "-";
  return fmt::format("{:.{}f}", middle, middle < 100 ? 3 : 1);
}

std::string verdict_text(const CountedOutcome& outcome) {
  if (!outcome.valid && outcome.answer.verdict == stats::Verdict::kInconclusive) return "INVALID";
  return std::string(stats::name_of(outcome.answer.verdict));
}

std::string ratio_text(const CountedOutcome& outcome) {
  return outcome.valid ? fmt::format("{:.3f}", outcome.answer.ratio) : "-";
}

std::string name_of(const CountedQuestion& question) {
  return fmt::format("{}: {}", question.workload, question.title);
}

/// "REGRESSION: sockets: instructions per request +1.71 %"
std::string headline(const CountedComparison& comparison) {
  const stats::Verdict verdict = verdict_of(comparison);
  std::vector<std::string> told;
  for (const CountedQuestion& question : comparison.questions) {
    const CountedOutcome outcome = outcome_of(comparison, question);
    if (outcome.answer.verdict != verdict) continue;
    told.push_back(outcome.valid
                       ? fmt::format("{} {:+.2f} %", name_of(question), (outcome.answer.ratio - 1) * 100)
                       : fmt::format("{} {}", name_of(question), outcome.why));
  }
  return fmt::format("{}: {}", stats::name_of(verdict), fmt::join(told, "; "));
}

std::string how(const CountedComparison& comparison) {
  return fmt::format("counted ({}): {} requests in lock-step over one connection, {} counts of each side",
                     fmt::join(comparison.tools, "; "), print_count(comparison.requests),
                     comparison.rules.counts);
}

}  // namespace

std::string counted_text(const CountedComparison& comparison) {
  std::string text =
      fmt::format("{} against {}, {}\n\n", comparison.candidate, comparison.baseline, how(comparison));
  size_t width = 0;
  for (const CountedQuestion& question : comparison.questions)
    width = std::max(width, name_of(question).size() + 2);
  text += fmt::format("{:<{}}{:>11}{:>11}{:>8}  verdict\n", "", width, "baseline", "candidate", "ratio");
  for (const CountedQuestion& question : comparison.questions) {
    const CountedOutcome outcome = outcome_of(comparison, question);
    text += fmt::format("{:<{}}{:>11}{:>11}{:>8}  {:<11} {}\n", name_of(question), width,
                        count_text(question.baseline, outcome.answer.baseline.middle),
                        count_text(question.candidate, outcome.answer.candidate.middle), ratio_text(outcome),
                        verdict_text(outcome), outcome.why);
  }
  text += fmt::format("\n{}\n{}\n", output::kNotSeenByCounting, headline(comparison));
  if (!comparison.folder.empty()) text += fmt::format("Bundle  {}\n", comparison.folder);
  return text + fmt::format("Redo    {}\n", comparison.command);
}

std::string counted_junit(const CountedComparison& comparison) {
  std::string cases;
  size_t failures = 0, skips = 0;
  for (const CountedQuestion& question : comparison.questions) {
    const CountedOutcome outcome = outcome_of(comparison, question);
    const std::string why = xml_text(outcome.why);
    std::string result;
    if (outcome.answer.verdict == stats::Verdict::kRegression) {
      ++failures;
      result = fmt::format("<failure type=\"REGRESSION\" message=\"{}\"/>", why);
    } else if (outcome.answer.verdict == stats::Verdict::kInconclusive) {
      ++skips;
      result = fmt::format("<skipped message=\"INVALID: {}\"/>", why);
    }
    cases += fmt::format(
        "    <testcase classname=\"counted.{}\" name=\"{}\">{}<system-out>{}</system-out></testcase>\n",
        xml_text(question.workload), xml_text(question.title), result, why);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{} against {}, "
      "counted\" "
      "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      xml_text(comparison.candidate), xml_text(comparison.baseline), comparison.questions.size(), failures,
      skips, cases);
}

std::string counted_markdown(const CountedComparison& comparison) {
  std::string text = fmt::format("### {}\n\n`{}` against `{}`, {}\n\n", headline(comparison),
                                 comparison.candidate, comparison.baseline, how(comparison));
  text += "| | baseline | candidate | ratio | verdict | why |\n|---|--:|--:|--:|---|---|\n";
  for (const CountedQuestion& question : comparison.questions) {
    const CountedOutcome outcome = outcome_of(comparison, question);
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", name_of(question),
                        count_text(question.baseline, outcome.answer.baseline.middle),
                        count_text(question.candidate, outcome.answer.candidate.middle), ratio_text(outcome),
                        verdict_text(outcome), outcome.why);
  }
  text += fmt::format("\n{}\n\nRepeat it: `{}`\n", output::kNotSeenByCounting, comparison.command);
  return cut_to(text, kSummaryBytesMax);
}

}  // namespace tickmark::cli
