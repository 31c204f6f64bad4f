#include "harness/cli/verdict_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <nlohmann/json.hpp>

namespace tickmark::cli {
namespace {

using conformance::Verdict;
using conformance::VerdictKind;

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

bool skipped(VerdictKind kind) {
  return kind == VerdictKind::inapplicable || kind == VerdictKind::unsupported ||
         kind == VerdictKind::inconclusive;
}

std::string explanation(const Verdict& verdict) {
  return fmt::format(
      "says: {}\nrequired: {}\nseen: {}\nruns: {}, applicable: {}, failed: {}\nreason: {}\nreproduce: {}",
      verdict.says, fmt::join(verdict.required, "; "), fmt::join(verdict.seen, " "), verdict.runs,
      verdict.applicable, verdict.failed, verdict.reason, verdict.reproduce);
}

std::string junit_case(const Verdict& verdict) {
  std::string out =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml(verdict.subject), xml(verdict.rule));
  if (verdict.is_violation()) {
    const char* tag = verdict.kind == VerdictKind::fail ? "failure" : "error";
    return out + fmt::format("><{0} message=\"{1}\">{2}</{0}></testcase>\n", tag, xml(verdict.says),
                             xml(explanation(verdict)));
  }
  if (skipped(verdict.kind)) {
    return out + fmt::format("><skipped message=\"{}: {}\"/></testcase>\n",
                             conformance::name_of(verdict.kind), xml(verdict.reason));
  }
  if (verdict.kind == VerdictKind::vacuous) {
    return out + fmt::format("><error message=\"vacuous: {}\"/></testcase>\n", xml(verdict.reason));
  }
  return out + "/>\n";
}

}  // namespace

std::string verdicts_json(const std::vector<Verdict>& verdicts) {
  nlohmann::ordered_json out{{"schema", "tickmark.conform/1"}, {"rules", nlohmann::ordered_json::array()}};
  for (const Verdict& verdict : verdicts) out["rules"].push_back(conformance::to_json(verdict));
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string verdicts_junit(const std::vector<Verdict>& verdicts) {
  std::map<std::string, std::vector<const Verdict*>> subjects;
  for (const Verdict& verdict : verdicts) subjects[verdict.subject].push_back(&verdict);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [subject, own] : subjects) {
    size_t failures = 0, errors = 0, skips = 0;
    std::string cases;
    for (const Verdict* verdict : own) {
      failures += verdict->is_violation() && verdict->kind == VerdictKind::fail;
      errors += verdict->kind == VerdictKind::vacuous ||
                (verdict->is_violation() && verdict->kind != VerdictKind::fail);
      skips += skipped(verdict->kind);
      cases += junit_case(*verdict);
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}  "
        "</testsuite>\n",
        xml(subject), own.size(), failures, errors, skips, cases);
  }
  return out + "</testsuites>\n";
}

std::string verdicts_tap(const std::vector<Verdict>& verdicts) {
  std::string out = fmt::format("TAP version 14\n1..{}\n", verdicts.size());
  size_t number = 0;
  for (const Verdict& verdict : verdicts) {
    const bool bad = verdict.is_violation() || verdict.kind == VerdictKind::vacuous;
    out += fmt::format("{} {} - {} {}", bad ? "not ok" : "ok", ++number, verdict.subject, verdict.rule);
    if (skipped(verdict.kind))
      out += fmt::format(" # SKIP {}: {}", conformance::name_of(verdict.kind), verdict.reason);
    out += "\n";
    if (!bad) continue;
    out += fmt::format("  ---\n  verdict: {}\n  explanation: |\n", conformance::name_of(verdict.kind));
    std::string block = explanation(verdict);
    for (size_t at = 0; (at = block.find('\n', at)) != std::string::npos; at += 5)
      block.replace(at, 1, "\n    ");
    out += fmt::format("    {}\n  ...\n", block);
  }
  return out;
}

std::string verdicts_text(const std::vector<Verdict>& verdicts) {
  std::string out;
  std::map<std::string, std::map<std::string, size_t>> sums;
  for (const Verdict& verdict : verdicts) {
    const std::string subject =
        verdict.subject + (verdict.condition == "idle" ? "" : " (" + verdict.condition + ")");
    ++sums[subject][std::string(conformance::name_of(verdict.kind))];
    if (!verdict.is_violation() && verdict.kind != VerdictKind::vacuous) continue;
    out += fmt::format("{} {}: {}\n", conformance::name_of(verdict.kind), subject, verdict.rule);
    std::string block = explanation(verdict);
    for (size_t at = 0; (at = block.find('\n', at)) != std::string::npos; at += 5)
      block.replace(at, 1, "\n    ");
    out += fmt::format("    {}\n", block);
  }
  for (const auto& [subject, kinds] : sums) {
    out += fmt::format("{:<32}", subject);
    for (const auto& [kind, count] : kinds) out += fmt::format(" {} {}", count, kind);
    out += "\n";
  }
  return out;
}

}  // namespace tickmark::cli
