#include "harness/cli/fuzz_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tickmark::cli {
namespace {

using Json = nlohmann::json;
using programs::Finding;

std::string order_text(const Finding& finding) {
  std::string text;
  for (const programs::Step step : finding.run.steps)
    text += (text.empty() ? "" : " ") + programs::name_of(finding.program, step);
  return text;
}

std::string indented(const std::string& text) {
  std::string result = "    ";
  for (size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) result += "    ";
  }
  return result;
}

Json finding_json(const Finding& finding) {
  return {{"rule", programs::name_of(finding.refusal.rule)},
          {"says", programs::sentence_of(finding.refusal.rule)},
          {"what", programs::to_text(finding.program, finding.refusal)},
          {"seen", order_text(finding)},
          {"played_again", finding.played_again},
          {"refused_again", finding.refused_again},
          {"program", Json::parse(programs::to_json(finding.program))}};
}

Json subject_json(const Fuzzed& fuzzed) {
  const programs::Campaign& campaign = fuzzed.campaign;
  Json by_rule = Json::object();
  for (const auto& [rule, count] : campaign.by_rule) by_rule[std::string(programs::name_of(rule))] = count;
  Json findings = Json::array();
  for (size_t i = 0; i < campaign.findings.size(); ++i) {
    findings.push_back(finding_json(campaign.findings[i]));
    findings.back()["reproduce"] = fuzzed.reproduce[i];
  }
  return {{"subject", fuzzed.subject},        {"programs", campaign.programs},
          {"callbacks", campaign.callbacks},  {"refused", campaign.refused},
          {"missing", campaign.missing},      {"inconclusive", campaign.inconclusive},
          {"seconds", seconds(fuzzed.taken)}, {"by_rule", std::move(by_rule)},
          {"findings", std::move(findings)}};
}

std::string subject_text(const Fuzzed& fuzzed) {
  const programs::Campaign& campaign = fuzzed.campaign;
  std::string text = fmt::format(
      "{}: {} programs, {} callbacks, {:.0f} programs/s: {} refused, {} without a run, "
      "{} inconclusive\n",
      fuzzed.subject, campaign.programs, campaign.callbacks,
      static_cast<double>(campaign.programs) / std::max(seconds(fuzzed.taken), 1e-9), campaign.refused,
      campaign.missing, campaign.inconclusive);
  for (const auto& [rule, count] : campaign.by_rule)
    text += fmt::format("  {:>6} {}: {}\n", count, programs::name_of(rule), programs::sentence_of(rule));
  if (campaign.first_missing) {
    text += fmt::format("  The player crashed or hung: the first program without a run is number {}\n",
                        *campaign.first_missing);
  }
  for (size_t i = 0; i < campaign.findings.size(); ++i)
    text += "\n" + indented(finding_text(campaign.findings[i])) + "    " + fuzzed.reproduce[i] + "\n";
  return text;
}

std::string difference_text(const FuzzReport& report) {
  const programs::Difference& difference = *report.difference;
  std::string text = fmt::format("\n{} and {}: {} programs alike, {} different as the rules allow, {} not\n",
                                 report.subjects[0].subject, report.subjects[1].subject, difference.same,
                                 difference.explained, difference.unexplained);
  for (size_t i = 0; i < difference.findings.size(); ++i) {
    const unsigned of = difference.findings_of[i];
    text += fmt::format("\n    {}, by the rules of {}:\n{}", report.subjects[of].subject,
                        report.subjects[1 - of].subject, indented(finding_text(difference.findings[i])));
  }
  if (!difference.pairs.empty()) text += "\nOrders the rules leave free, and that they use differently:\n";
  for (const programs::FreePair& pair : difference.pairs) {
    text += fmt::format("  {:<36} in order {:3.0f} % and {:3.0f} %\n", pair.names, 100 * pair.share(0),
                        100 * pair.share(1));
  }
  return text;
}

Json difference_json(const programs::Difference& difference) {
  Json findings = Json::array();
  for (size_t i = 0; i < difference.findings.size(); ++i) {
    findings.push_back(finding_json(difference.findings[i]));
    findings.back()["of"] = difference.findings_of[i];
  }
  Json pairs = Json::array();
  for (const programs::FreePair& pair : difference.pairs)
    pairs.push_back({{"pair", pair.names}, {"in_order", {pair.share(0), pair.share(1)}}});
  return {{"same", difference.same},
          {"explained", difference.explained},
          {"unexplained", difference.unexplained},
          {"findings", std::move(findings)},
          {"pairs", std::move(pairs)}};
}

}  // namespace

std::string finding_text(const Finding& finding) {
  const std::string again = finding.played_again == 0
                                ? ""
                                : fmt::format("refused {} of {} times it was played again\n",
                                              finding.refused_again, finding.played_again);
  return fmt::format("{}seen: {}\n{}\n{}{}\n", programs::to_text(finding.program), order_text(finding),
                     programs::to_text(finding.program, finding.refusal), again,
                     programs::to_json(finding.program));
}

bool has_finding(const FuzzReport& report) {
  for (const Fuzzed& each : report.subjects) {
    if (each.campaign.refused > 0 || each.campaign.missing > 0) return true;
  }
  return report.difference && report.difference->unexplained > 0;
}

std::string fuzz_text(const FuzzReport& report) {
  std::string text;
  for (const Fuzzed& each : report.subjects) text += (text.empty() ? "" : "\n") + subject_text(each);
  if (report.difference) text += difference_text(report);
  return text;
}

std::string fuzz_json(const FuzzReport& report) {
  Json document{
      {"seed", report.seed}, {"distribution", programs::kDistribution}, {"subjects", Json::array()}};
  for (const Fuzzed& each : report.subjects) document["subjects"].push_back(subject_json(each));
  if (report.difference) document["difference"] = difference_json(*report.difference);
  return document.dump();
}

}  // namespace tickmark::cli
