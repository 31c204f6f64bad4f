// A comparison as documents: what the plan fixes, and gate.json.

#include <cmath>

#include "harness/output/comparison.h"

namespace tickmark::output {
namespace {

/// A log-ratio as people mean it: +0.05 is five per cent more.
double share(double logarithm) { return std::expm1(logarithm); }

Json look_json(const stats::MetricLook& metric) {
  Json json = {{"slowdown", share(metric.log_ratio.value)},
               {"spread", metric.spread},
               {"slowdown_plain", share(metric.plain.value)},
               {"spread_plain", metric.plain_spread},
               {"covariate_slope", metric.slope},
               {"p_slower", metric.p_slower},
               {"p_slower_holm", metric.p_slower_adjusted},
               {"p_margin", metric.p_margin},
               {"p_speedup", metric.p_speedup},
               {"detectable_slowdown", metric.detectable},
               {"verdict", stats::name_of(metric.verdict)}};
  if (metric.log_ratio.interval) {
    json["slowdown_low"] = share(metric.log_ratio.interval->low);
    json["slowdown_high"] = share(metric.log_ratio.interval->high);
  }
  return json;
}

Json question_json(const Comparison& comparison, size_t question) {
  const GatedMetric& metric = comparison.family[question];
  const Answer answer = answer_to(comparison, question);
  Json json = {{"cell", metric.cell},     {"metric", metric.key},
               {"unit", metric.unit},     {"better", metric.higher_is_better ? "higher" : "lower"},
               {"margin", metric.margin}, {"verdict", stats::name_of(answer.verdict)}};
  if (!metric.covariate.empty()) json["covariate"] = metric.covariate;
  std::vector<double> baseline, candidate;
  for (const ArmValues& values : comparison.values[question]) {
    baseline.push_back(values.baseline);
    candidate.push_back(values.candidate);
  }
  if (!baseline.empty()) {
    json["baseline_median"] = stats::median(baseline);
    json["candidate_median"] = stats::median(candidate);
  }
  if (answer.seen) {
    json.update(look_json(*answer.seen));
    json["verdict"] = stats::name_of(answer.verdict);
    json["blocks"] = answer.blocks;
  }
  if (question < comparison.voids.size() && comparison.voids[question].blocks > 0) {
    json["void_blocks"] = comparison.voids[question].blocks;
    json["void_reason"] = comparison.voids[question].reason;
  }
  if (answer.given_up) json["given_up"] = answer.given_up->out_of_reach ? "out of reach" : "void too often";
  if (answer.again) {
    json["confirmation"] = look_json(*answer.again);
    json["confirmation"]["blocks"] = answer.blocks_again;
  }
  return json;
}

}  // namespace

Json rules_json(const stats::GateRules& rules, const std::string& baseline, const std::string& candidate) {
  Json json = {{"baseline", baseline},
               {"candidate", candidate},
               {"looks", rules.looks},
               {"levels", rules.levels},
               {"alpha", rules.alpha},
               {"floor", rules.floor},
               {"confidence", rules.confidence},
               {"confirm", rules.confirm},
               {"covariates", covariates_json()},
               {"void_blocks_max", rules.void_blocks_max()},
               {"stages", Json::array()}};
  for (int stage = 0; stage < (rules.confirm ? 2 : 1); ++stage) {
    json["stages"].push_back({{"first_block", stage * rules.stage_blocks_max()},
                              {"last_block", (stage + 1) * rules.stage_blocks_max() - 1}});
  }
  return json;
}

Json to_json(const Comparison& comparison) {
  const stats::GateResult& result = comparison.result;
  Json json = {{"schema", "tickmark.gate/1"},
               {"verdict", stats::name_of(result.verdict)},
               {"exit_code", exit_code_of(result.verdict)},
               {"reason", result.reason},
               {"baseline", comparison.baseline},
               {"candidate", comparison.candidate},
               {"rules", rules_json(comparison.rules, comparison.baseline, comparison.candidate)},
               {"blocks", {result.blocks[0], result.blocks[1]}},
               {"void_blocks", {result.void_blocks[0], result.void_blocks[1]}},
               {"metrics", Json::array()},
               {"looks", Json::array()},
               {"notes", comparison.notes},
               {"bundle", comparison.bundle},
               {"command", comparison.command}};
  for (size_t q = 0; q < comparison.family.size(); ++q)
    json["metrics"].push_back(question_json(comparison, q));
  for (const stats::Look& look : result.looks) {
    Json entry = {{"stage", look.stage},
                  {"blocks", look.blocks},
                  {"level", look.level},
                  {"verdict", stats::name_of(look.verdict)},
                  {"metrics", Json::array()}};
    for (const stats::MetricLook& metric : look.metrics) {
      Json member = look_json(metric);
      member["cell"] = comparison.family[metric.metric].cell;
      member["metric"] = comparison.family[metric.metric].key;
      entry["metrics"].push_back(std::move(member));
    }
    json["looks"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace tickmark::output
