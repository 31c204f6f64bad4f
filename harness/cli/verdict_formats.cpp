// JSON, JUnit and TAP; verdict_pages.cpp has what people read.

#include "harness/cli/verdict_formats.h"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/cli/verdict_explanation.h"
#include "harness/cli/xml_text.h"

namespace tickmark::cli {
namespace {

using conformance::Verdict;
using conformance::VerdictKind;
using nlohmann::ordered_json;

std::string xml(std::string_view text) { return xml_text(text); }

std::string junit_properties(const Verdict& verdict) {
  if (verdict.runs == 0) return "";
  return fmt::format(
      "<properties><property name=\"runs\" value=\"{}\"/><property name=\"applicable\" value=\"{}\"/>"
      "</properties>",
      verdict.runs, verdict.applicable);
}

/// The child that says what became of the case; "" for a pass.
std::string junit_outcome(const Verdict& verdict) {
  const std::string kind(conformance::name_of(verdict.kind));
  if (!verdict.known.empty())
    return fmt::format("<skipped message=\"known deviation: {}\"/>", xml(verdict.known));
  if (is_skipped(verdict)) return fmt::format("<skipped message=\"{}: {}\"/>", kind, xml(verdict.reason));
  if (!is_bad(verdict)) return "";
  return fmt::format("<{0} type=\"{1}\" message=\"{2}\">{3}</{0}>",
                     verdict.kind == VerdictKind::fail ? "failure" : "error", kind, xml(verdict.says),
                     xml(fmt::format("{}", fmt::join(explanation(verdict), "\n"))));
}

/// A double-quoted YAML scalar, which a JSON string is.
std::string quoted(const std::string& text) {
  return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string tap_list(std::string_view key, const std::vector<std::string>& items) {
  std::string out = fmt::format("  {}:{}\n", key, items.empty() ? " []" : "");
  for (const std::string& item : items) out += fmt::format("    - {}\n", quoted(item));
  return out;
}

std::string tap_block(const Verdict& verdict) {
  return fmt::format("  ---\n  verdict: {}\n  says: {}\n", conformance::name_of(verdict.kind),
                     quoted(verdict.says)) +
         tap_list("required", verdict.required) + tap_list("seen", verdict.seen) +
         tap_list("trace", verdict.excerpt) +
         fmt::format(
             "  runs: {}\n  applicable: {}\n  failed: {}\n  reason: {}\n  source: {}\n  reproduce: {}\n  "
             "...\n",
             verdict.runs, verdict.applicable, verdict.failed, quoted(verdict.reason), quoted(verdict.source),
             quoted(verdict.reproduce));
}

/// In a test line a number sign would begin a directive.
std::string tap_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '#' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string verdicts_json(const std::vector<Verdict>& verdicts) {
  ordered_json out{{"schema", "tickmark.conform/1"}, {"rules", ordered_json::array()}};
  for (const Verdict& verdict : verdicts) out["rules"].push_back(conformance::to_json(verdict));
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

std::string verdicts_junit(const std::vector<Verdict>& verdicts) {
  std::map<std::string, std::vector<const Verdict*>> subjects;
  for (const Verdict& verdict : verdicts) subjects[verdict.subject].push_back(&verdict);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [subject, own] : subjects) {
    size_t failures = 0, errors = 0, skips = 0;
    std::string cases;
    for (const Verdict* verdict : own) {
      const bool bad = is_bad(*verdict);
      failures += bad && verdict->kind == VerdictKind::fail;
      errors += bad && verdict->kind != VerdictKind::fail;
      skips += is_skipped(*verdict) || !verdict->known.empty();
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\">{}{}</testcase>\n", xml(subject),
                           xml(verdict->rule), junit_properties(*verdict), junit_outcome(*verdict));
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
    const bool fails = verdict.is_violation() || verdict.kind == VerdictKind::vacuous;
    out += fmt::format("{} {} - {} {}", fails ? "not ok" : "ok", ++number, tap_text(verdict.subject),
                       verdict.rule);
    if (verdict.runs > 0) out += ", applicable in " + applicability(verdict);
    if (is_skipped(verdict))
      out += fmt::format(" # SKIP {}: {}", conformance::name_of(verdict.kind), tap_text(verdict.reason));
    else if (fails && !is_bad(verdict))
      out +=
          " # TO"
          "DO known deviation: " +
          tap_text(verdict.known);
    out += "\n";
    if (fails) out += tap_block(verdict);
  }
  return out;
}

}  // namespace tickmark::cli
