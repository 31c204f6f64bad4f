#pragma once
// A comparison of two subjects by the gate: what was asked, how blocks become the gate's numbers, and the
// document that keeps the answer. How it is told to people is the command line's.

#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/output/json_access.h"
#include "harness/stats/gate.h"

namespace tickmark::output {

/// One question: a metric of a cell.
struct GatedMetric {
  std::string cell;          ///< id
  std::string key;           ///< in a trial's `metrics`
  std::string unit, family;  ///< as ComparedMetric
  bool higher_is_better = false;
  double margin = 0.03;        ///< as stats::GateMetric
  std::string covariate{};     ///< key of the metric that may explain its noise; "": none
  stats::SlopeRange slopes{};  ///< as stats::GateMetric
};

/// "CPU per request" of cpu_ns_per_request; the key itself for a metric without a title.
std::string title_of(const std::string& key);

/// The questions of a plan.json: every metric under `gate` of every cell. Usage error for a metric that is
/// none.
Expected<std::vector<GatedMetric>> gated_metrics(const Json& plan);

/// A metric's value in the two arms of a block.
struct ArmValues {
  double baseline = 0, candidate = 0;
};

/// What one block says of one question.
struct BlockAnswer {
  std::optional<ArmValues> values;  ///< nothing: void
  std::optional<double> covariate;  ///< as stats::BlockDifference; nothing: an arm does not know it
  bool out_of_reach = false;        ///< void because the load generator was at its limit
  std::string void_reason;          ///< a sentence; "" if it is valid
};

/// `records`: the trials of one block. One answer per question.
std::vector<BlockAnswer> block_answers(const std::vector<Json>& records,
                                       const std::vector<GatedMetric>& family, const std::string& baseline,
                                       const std::string& candidate);

/// ln(candidate / baseline), turned so that + is worse.
double log_ratio(const ArmValues& values, const GatedMetric& metric);

/// How often a question was void, and why: the first time, or the first time for the generator's limit if
/// there was one.
struct Voids {
  int blocks = 0;
  bool out_of_reach = false;
  std::string reason;

  void add(const BlockAnswer& answer);
};

struct Comparison {
  std::string baseline, candidate;  ///< ids
  std::vector<GatedMetric> family;
  stats::GateRules rules;
  stats::GateResult result;
  std::vector<std::vector<ArmValues>> values;  ///< by question: of the first stage's valid blocks
  std::vector<Voids> voids;                    ///< by question, both stages; may be shorter
  std::vector<std::string> notes;              ///< sentences: what relates two bundles, what the run noted
  std::string bundle;                          ///< where the trials are
  std::string command;                         ///< repeats it
};

/// The rules for a family; levels are filled in.
stats::GateRules gate_rules(const std::vector<GatedMetric>& family, stats::GateRules rules = {});

/// plan.json's `gate`.
Json rules_json(const stats::GateRules& rules, const std::string& baseline, const std::string& candidate);

/// plan.json's `gate.covariates`: whichever of these metrics is asked has its covariate.
Json covariates_json();

/// The exit code: 1, 0, 4 for REGRESSION, OK, INCONCLUSIVE.
int exit_code_of(stats::Verdict verdict);

/// What one question came to: the first stage's last word, and the second stage's where it was asked again.
struct Answer {
  const stats::MetricLook* seen = nullptr;   ///< null: no look was reached
  const stats::MetricLook* again = nullptr;  ///< null: not asked again
  const stats::GivenUp* given_up = nullptr;  ///< null: it was not void too often
  int blocks = 0, blocks_again = 0;
  stats::Verdict verdict =
      stats::Verdict::kInconclusive;  ///< REGRESSION only if it was confirmed, where it must be
};
Answer answer_to(const Comparison& comparison, size_t question);

/// gate.json (tickmark.gate/1, docs/bundle.md).
Json to_json(const Comparison& comparison);

}  // namespace tickmark::output
