#include "conformance/oracle/verdict.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace tickmark::conformance {

namespace {

// Which order of the observed labels this run showed: the fingerprint of a profile.
std::string fingerprint(const Rule& rule, const std::vector<std::string>& seen) {
  std::string text;
  for (const std::string& label : seen) {
    const std::string name = label.substr(0, label.find(' '));
    if (std::ranges::find(rule.observes, name) == rule.observes.end()) continue;
    text += text.empty() ? label : " < " + label;
  }
  return text;
}

std::string orders_text(const std::map<std::string, unsigned long>& orders) {
  std::string text;
  for (const auto& [order, runs] : orders)
    text += fmt::format("{}{} ({} runs)", text.empty() ? "" : "; ", order, runs);
  return text;
}

bool is_recorded_only(Level level) { return level == Level::profile || level == Level::unspecified; }

}  // namespace

bool Verdict::is_violation() const {
  return kind == VerdictKind::fail || kind == VerdictKind::hang || kind == VerdictKind::crash;
}

unsigned long Verdict::judged_runs() const { return std::min(applicable, runs); }

double Verdict::applicability() const {
  return runs == 0 ? 0 : static_cast<double>(judged_runs()) / static_cast<double>(runs);
}

std::string_view name_of(VerdictKind kind) {
  static constexpr std::array<std::string_view, 8> kNames{
      "pass", "fail", "inapplicable", "unsupported", "inconclusive", "vacuous", "hang", "crash"};
  return kNames[static_cast<size_t>(kind)];
}

Verdict blank_verdict(const Rule& rule, const std::string& subject) {
  Verdict verdict;
  verdict.rule = rule.id;
  verdict.subject = subject;
  verdict.says = rule.says;
  verdict.source = rule.source;
  verdict.level = rule.level;
  verdict.layer = rule.layer;
  verdict.required = rule.requirement_texts();
  verdict.reproduce = fmt::format("tickmark conform {} --rule {}", subject, rule.id);
  return verdict;
}

nlohmann::ordered_json to_json(const Verdict& verdict) {
  nlohmann::ordered_json json{{"schema", "tickmark.verdict/1"},   {"rule", verdict.rule},
                              {"subject", verdict.subject},       {"says", verdict.says},
                              {"level", name_of(verdict.level)},  {"layer", name_of(verdict.layer)},
                              {"source", verdict.source},         {"verdict", name_of(verdict.kind)},
                              {"reason", verdict.reason},         {"runs", verdict.runs},
                              {"applicable", verdict.applicable}, {"failed", verdict.failed},
                              {"required", verdict.required},     {"seen", verdict.seen},
                              {"reproduce", verdict.reproduce},   {"condition", verdict.condition}};
  if (verdict.runs > 0) json["applicability"] = verdict.applicability();
  if (!verdict.excerpt.empty()) json["excerpt"] = verdict.excerpt;
  if (!verdict.mode.empty()) json["mode"] = verdict.mode;
  if (!verdict.known.empty()) json["known"] = verdict.known;
  if (!verdict.orders.empty()) json["orders"] = verdict.orders;
  if (!verdict.trace.empty()) json["trace"] = verdict.trace;
  return json;
}

Tally::Tally(const Rule& rule, const std::string& subject)
    : rule_(&rule), verdict_(blank_verdict(rule, subject)) {}

void Tally::add(const RunVerdict& run) {
  ++verdict_.runs;
  switch (run.outcome) {
    case Outcome::inapplicable:
      inapplicable_reason_ = run.reason;
      return;
    case Outcome::inconclusive:
      ++inconclusive_;
      inconclusive_reason_ = run.reason;
      return;
    case Outcome::pass:
    case Outcome::fail:
      break;
  }
  ++verdict_.applicable;
  if (is_recorded_only(rule_->level)) {
    ++verdict_.orders[fingerprint(*rule_, run.seen)];
    if (rule_->level == Level::profile) return;
  }
  if (run.outcome == Outcome::pass) return;
  if (++verdict_.failed > 1) return;
  verdict_.reason = run.reason;
  verdict_.seen = run.seen;
}

void Tally::unsupported(std::string reason) {
  settled_ = true;
  verdict_.kind = VerdictKind::unsupported;
  verdict_.reason = std::move(reason);
}

void Tally::died(bool hung, std::string reason) {
  settled_ = true;
  ++verdict_.runs;
  verdict_.kind = hung ? VerdictKind::hang : VerdictKind::crash;
  verdict_.reason = std::move(reason);
}

Verdict Tally::close(unsigned long expected_runs, const std::string& why_fewer) {
  if (settled_) return verdict_;
  if (no_more_) expected_runs = verdict_.runs;
  if (verdict_.failed > 0) {
    verdict_.kind = VerdictKind::fail;
  } else if (verdict_.runs < expected_runs) {
    verdict_.kind = VerdictKind::inconclusive;
    verdict_.reason = fmt::format("{} of {} runs came back: {}", verdict_.runs - inconclusive_, expected_runs,
                                  inconclusive_ > 0 ? inconclusive_reason_ : why_fewer);
  } else if (inconclusive_ > 0) {
    verdict_.kind = VerdictKind::inconclusive;
    verdict_.reason = fmt::format("{} runs: {}", inconclusive_, inconclusive_reason_);
  } else if (verdict_.applicable == 0) {
    verdict_.kind = VerdictKind::vacuous;
    verdict_.reason = fmt::format("in no run was there anything to judge: {}", inapplicable_reason_);
  } else {
    verdict_.kind = VerdictKind::pass;
    if (!verdict_.orders.empty()) verdict_.reason = "seen: " + orders_text(verdict_.orders);
  }
  return verdict_;
}

}  // namespace tickmark::conformance
