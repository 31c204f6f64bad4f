#include "harness/cli/comparison_formats.h"

#include <cmath>
#include <fmt/format.h>

#include "harness/cli/xml_text.h"
#include "harness/output/summary.h"

namespace tickmark::cli {
namespace {

using output::Answer;
using output::Comparison;
using output::GatedMetric;
using output::title_of;
using stats::MetricLook;

std::string signed_percent(double logarithm) { return fmt::format("{:+.1f} %", std::expm1(logarithm) * 100); }

/// "+9.8 % [+8.9, +10.9]"
std::string slowdown(const MetricLook& look) {
  const auto& interval = look.log_ratio.interval;
  if (!interval) return signed_percent(look.log_ratio.value);
  return fmt::format("{} [{:+.1f}, {:+.1f}]", signed_percent(look.log_ratio.value),
                     std::expm1(interval->low) * 100, std::expm1(interval->high) * 100);
}

std::string p_text(double p) { return p < 0.001 ? "p < 0.001" : fmt::format("p = {:.3f}", p); }

std::string medians(const Comparison& comparison, size_t question, bool of_candidate) {
  std::vector<double> values;
  for (const output::ArmValues& v : comparison.values[question]) {
    values.push_back(of_candidate ? v.candidate : v.baseline);
  }
  return values.empty() ? "-" : output::metric_text(stats::median(values), comparison.family[question].unit);
}

/// Why the verdict of one question is what it is.
std::string because(const Comparison& comparison, size_t question, const Answer& answer) {
  const double margin = comparison.family[question].margin * 100;
  if (answer.given_up) {
    return fmt::format("{}, void in {} blocks: {}",
                       answer.given_up->out_of_reach ? "out of the load generator's reach" : "not judged",
                       comparison.voids[question].blocks, comparison.voids[question].reason);
  }
  if (!answer.seen) return "no look was reached";
  if (answer.again) {
    const char* outcome = answer.verdict == stats::Verdict::kRegression ? "again" : "but not again:";
    return fmt::format("{} in {} blocks, {} {} in {} new ones", p_text(answer.seen->p_slower_adjusted),
                       answer.blocks, outcome, slowdown(*answer.again), answer.blocks_again);
  }
  if (answer.verdict == stats::Verdict::kRegression) {
    return fmt::format("{} in {} blocks", p_text(answer.seen->p_slower_adjusted), answer.blocks);
  }
  if (answer.verdict == stats::Verdict::kOk) {
    const bool faster = answer.seen->log_ratio.interval && answer.seen->log_ratio.interval->high < 0;
    return fmt::format("{}a slowdown of {:g} % or more is refuted, {}, {} blocks",
                       faster ? "it is better; " : "", margin, p_text(answer.seen->p_margin), answer.blocks);
  }
  return fmt::format(
      "neither shown nor refuted in {} blocks; {:g} % matter, {:.1f} % or more would have been seen",
      answer.blocks, margin, answer.seen->detectable * 100);
}

std::string cells_of(const Comparison& comparison) {
  std::string cells, last;
  for (const GatedMetric& metric : comparison.family) {
    if (metric.cell == last) continue;
    cells += (cells.empty() ? "" : ", ") + (last = metric.cell);
  }
  return cells;
}

/// A question's name; with its cell where there are several.
std::string name_of(const Comparison& comparison, size_t question) {
  const GatedMetric& metric = comparison.family[question];
  const bool one_cell = cells_of(comparison) == metric.cell;
  return one_cell ? title_of(metric.key) : fmt::format("{} ({})", title_of(metric.key), metric.cell);
}

/// "REGRESSION: CPU per request +9.8 % [+8.9, +10.9]"
std::string headline(const Comparison& comparison) {
  std::string text(stats::name_of(comparison.result.verdict));
  if (!comparison.result.reason.empty()) return text + ": " + comparison.result.reason;
  std::string told;
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    const Answer answer = answer_to(comparison, q);
    if (!answer.seen || answer.verdict != comparison.result.verdict) continue;
    told += fmt::format("{}{} {}", told.empty() ? "" : "; ", title_of(comparison.family[q].key),
                        slowdown(*(answer.again ? answer.again : answer.seen)));
  }
  for (const stats::GivenUp& given_up : comparison.result.given_up) {
    told += fmt::format("{}not judged: {}", told.empty() ? "" : "; ", name_of(comparison, given_up.metric));
  }
  return text + ": " + told;
}

/// "CPU per request from +4.2 %, memory per connection from +3.1 %"
std::string detectable(const Comparison& comparison) {
  std::string told;
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    const Answer answer = answer_to(comparison, q);
    if (!answer.seen) continue;
    told += fmt::format("{}{} from {:+.1f} %", told.empty() ? "" : ", ", title_of(comparison.family[q].key),
                        answer.seen->detectable * 100);
  }
  return told;
}

/// "CPU per request without what run-queue wait explains (slope -0.14); with it +5.8 % [...], blocks apart by
/// 8.2 % instead of 1.4 %"; "" where it explains next to nothing.
std::string covariate_note(const Comparison& comparison, size_t question) {
  constexpr double kTold = 0.9;  // of the spread, at most, is left
  const MetricLook* seen = answer_to(comparison, question).seen;
  if (!seen || seen->slope == 0 || seen->spread > kTold * seen->plain_spread) return "";
  MetricLook plain = *seen;
  plain.log_ratio = seen->plain;
  return fmt::format(
      "{} is told without what {} explains (slope {:+.2f}); with it {}, and blocks differ by {:.1f} % "
      "instead "
      "of {:.1f} %",
      name_of(comparison, question), title_of(comparison.family[question].covariate), seen->slope,
      slowdown(plain), seen->plain_spread * 100, seen->spread * 100);
}

/// The comparison's own, what a covariate explained, and of each question that lost blocks and is judged all
/// the same: how many and why.
std::vector<std::string> notes_of(const Comparison& comparison) {
  std::vector<std::string> notes;
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    if (std::string note = covariate_note(comparison, q); !note.empty()) notes.push_back(std::move(note));
  }
  for (size_t q = 0; q < comparison.voids.size(); ++q) {
    const output::Voids& voids = comparison.voids[q];
    if (voids.blocks == 0 || answer_to(comparison, q).given_up) continue;
    notes.push_back(fmt::format("{} was void in {} {}: {}", name_of(comparison, q), voids.blocks,
                                voids.blocks == 1 ? "block" : "blocks", voids.reason));
  }
  notes.insert(notes.end(), comparison.notes.begin(), comparison.notes.end());
  return notes;
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  std::string text =
      fmt::format("{} against {}, {}\n\n", comparison.candidate, comparison.baseline, cells_of(comparison));
  size_t width = 24;
  for (size_t q = 0; q < comparison.family.size(); ++q)
    width = std::max(width, name_of(comparison, q).size() + 2);
  text +=
      fmt::format("{:<{}}{:<12}{:<12}{:<24}verdict\n", "", width, "baseline", "candidate", "slowdown [95 %]");
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    const Answer answer = answer_to(comparison, q);
    text += fmt::format("{:<{}}{:<12}{:<12}{:<24}{:<13} {}\n", name_of(comparison, q), width,
                        medians(comparison, q, false), medians(comparison, q, true),
                        answer.seen ? slowdown(*answer.seen) : "-", stats::name_of(answer.verdict),
                        because(comparison, q, answer));
  }
  if (const std::string told = detectable(comparison); !told.empty()) {
    text += fmt::format("\nWith this noise all blocks of the plan would show, 4 times in 5: {}.\n", told);
  }
  for (const std::string& note : notes_of(comparison)) text += fmt::format("Note: {}\n", note);
  text += headline(comparison) + "\n";
  if (!comparison.bundle.empty()) text += fmt::format("Bundle  {}\n", comparison.bundle);
  return text + fmt::format("Redo    {}\n", comparison.command);
}

std::string look_text(const Comparison& comparison) {
  if (comparison.result.looks.empty()) return headline(comparison);
  const stats::Look& look = comparison.result.looks.back();
  std::string told;
  for (const MetricLook& metric : look.metrics) {
    told += fmt::format("{}{} {} {}", told.empty() ? "" : "; ", name_of(comparison, metric.metric),
                        slowdown(metric), stats::name_of(metric.verdict));
  }
  return fmt::format("{} at {} blocks: {}", look.stage == 0 ? "look" : "confirmation", look.blocks, told);
}

std::string comparison_junit(const Comparison& comparison) {
  std::string cases;
  size_t failures = 0, skips = 0;
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    const Answer answer = answer_to(comparison, q);
    const std::string why = xml_text(fmt::format(
        "{}; {}", answer.seen ? slowdown(*answer.seen) : "not measured", because(comparison, q, answer)));
    std::string outcome;
    if (answer.verdict == stats::Verdict::kRegression) {
      ++failures;
      outcome = fmt::format("<failure type=\"REGRESSION\" message=\"{}\"/>", why);
    } else if (answer.verdict == stats::Verdict::kInconclusive) {
      ++skips;
      outcome = fmt::format("<skipped message=\"INCONCLUSIVE: {}\"/>", why);
    }
    cases += fmt::format(
        "    <testcase classname=\"{}\" name=\"{}\">{}<system-out>{}</system-out></testcase>\n",
        xml_text(comparison.family[q].cell), xml_text(title_of(comparison.family[q].key)), outcome, why);
  }
  const bool fault = comparison.result.verdict == stats::Verdict::kRegression && failures == 0;
  if (fault) {  // the candidate could not be measured at all
    cases += fmt::format(
        "    <testcase classname=\"compare\" name=\"candidate runs\"><failure message=\"{}\"/>"
        "</testcase>\n",
        xml_text(comparison.result.reason));
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{} against {}\" "
      "tests=\"{}\" "
      "failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      xml_text(comparison.candidate), xml_text(comparison.baseline),
      comparison.family.size() + (fault ? 1 : 0), failures + (fault ? 1 : 0), skips, cases);
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string text = fmt::format("### {}\n\n`{}` against `{}`, {}\n\n", headline(comparison),
                                 comparison.candidate, comparison.baseline, cells_of(comparison));
  text += "| metric | baseline | candidate | slowdown [95 %] | verdict | why |\n|---|--:|--:|--:|---|---|\n";
  for (size_t q = 0; q < comparison.family.size(); ++q) {
    const Answer answer = answer_to(comparison, q);
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", name_of(comparison, q),
                        medians(comparison, q, false), medians(comparison, q, true),
                        answer.seen ? slowdown(*answer.seen) : "-", stats::name_of(answer.verdict),
                        because(comparison, q, answer));
  }
  if (const std::string told = detectable(comparison); !told.empty()) {
    text += fmt::format("\nWith this noise all blocks of the plan would show, 4 times in 5: {}.\n", told);
  }
  text += fmt::format("\nRepeat it: `{}`\n", comparison.command);
  for (const std::string& note : notes_of(comparison)) text += fmt::format("- {}\n", note);
  return cut_to(text, kSummaryBytesMax);
}

std::string cut_to(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const std::string last = "\n(cut: this page takes no more)\n";
  const size_t line_end = text.rfind('\n', bytes_max - last.size());
  text.resize(line_end == std::string::npos ? 0 : line_end + 1);
  return text + last;
}

}  // namespace tickmark::cli
