// Verdicts for people: on a terminal, and as Markdown.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "harness/cli/verdict_explanation.h"
#include "harness/cli/verdict_formats.h"

namespace tickmark::cli {
namespace {

using conformance::Verdict;

std::string condition_of(const Verdict& verdict) {
  std::string text = verdict.mode;
  if (verdict.condition != "idle") text += (text.empty() ? "" : ", ") + verdict.condition;
  return text.empty() ? "" : " (" + text + ")";
}

/// "pass 90, fail 2; 1,790 of 1,840 runs could be judged"
struct Sum {
  std::map<std::string, size_t> kinds;
  size_t known = 0;
  unsigned long runs = 0;
  unsigned long applicable = 0;

  void add(const Verdict& verdict) {
    ++kinds[std::string(conformance::name_of(verdict.kind))];
    known += verdict.known.empty() ? 0 : 1;
    runs += verdict.runs;
    applicable += verdict.judged_runs();
  }
  std::string text() const {
    std::string out;
    for (const auto& [kind, count] : kinds)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, kind);
    if (known > 0) out += fmt::format(" ({} known)", known);
    if (runs > 0) {
      out += fmt::format("; {} of {} runs could be judged ({:.1f} %)", applicable, runs,
                         100.0 * static_cast<double>(applicable) / static_cast<double>(runs));
    }
    return out;
  }
};

std::map<std::string, Sum> sums_of(const std::vector<Verdict>& verdicts) {
  std::map<std::string, Sum> sums;
  for (const Verdict& verdict : verdicts) sums[verdict.subject + condition_of(verdict)].add(verdict);
  return sums;
}

bool is_told(const Verdict& verdict) { return is_bad(verdict) || verdict.is_violation(); }

/// A cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return out;
}

}  // namespace

std::string verdicts_text(const std::vector<Verdict>& verdicts) {
  std::string out;
  for (const Verdict& verdict : verdicts) {
    if (!is_told(verdict)) continue;
    out +=
        fmt::format("{}{} {}{}: {}\n", verdict.known.empty() ? "" : "known ",
                    conformance::name_of(verdict.kind), verdict.subject, condition_of(verdict), verdict.rule);
    for (const std::string& line : explanation(verdict)) out += "    " + line + "\n";
  }
  for (const auto& [subject, sum] : sums_of(verdicts)) out += fmt::format("{:<32} {}\n", subject, sum.text());
  return out;
}

std::string verdicts_markdown(const std::vector<Verdict>& verdicts) {
  std::string out = "# Callback order\n\n";
  for (const auto& [subject, sum] : sums_of(verdicts))
    out += fmt::format("- **{}**: {}\n", subject, sum.text());
  for (const Verdict& verdict : verdicts) {
    if (!is_told(verdict)) continue;
    out += fmt::format("\n## {}{}: {}{} {}\n\n```\n{}\n```\n", verdict.subject, condition_of(verdict),
                       verdict.known.empty() ? "" : "known ", conformance::name_of(verdict.kind),
                       verdict.rule, fmt::join(explanation(verdict), "\n"));
  }
  out +=
      "\n## Every rule\n\n| subject | rule | level | verdict | applicable | |\n|---|---|---|---|---|---|\n";
  for (const Verdict& verdict : verdicts) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", verdict.subject + condition_of(verdict),
                       verdict.rule, conformance::name_of(verdict.level), conformance::name_of(verdict.kind),
                       applicability(verdict), cell(is_told(verdict) ? "" : verdict.reason));
  }
  return out;
}

}  // namespace tickmark::cli
