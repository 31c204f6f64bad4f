#include "harness/run/gate_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace tickmark::run {
namespace {

using output::Json;
using output::text_at;
using stats::Gate;
using stats::Verdict;

/// So many blocks of a stage in which a subject fails are no accident.
constexpr int kFaultsMax = 2;

bool is_fault(const Json& record) {
  const std::string status = text_at(record, "status");
  return status == "failed" || status == "crashed" || status == "hung" || status == "wrong_reply" ||
         status == "unsupported";
}

/// The family's part of the rules is not needed to know when and how often is looked.
stats::GateRules with_levels(stats::GateRules rules) {
  if (rules.family.empty()) rules.family.push_back({"", rules.floor});
  return Gate(rules).rules();
}

}  // namespace

Json planned_gate(const stats::GateRules& rules, const std::string& baseline, const std::string& candidate) {
  Json json = output::rules_json(with_levels(rules), baseline, candidate);
  json["rerun_rule"] = fmt::format(
      "A block counts for the gated metrics that are valid in both arms. What is void or absent for a metric "
      "is made good by further planned blocks before a look is taken, at most {0} in a stage; a metric void "
      "in more than {0} blocks of a stage is given up, and the others are judged without it: the verdict can "
      "then be OK only if the load generator's own limit had made it void. A subject that fails, crashes, "
      "hangs or answers wrongly in {1} blocks of a stage ends the comparison: REGRESSION if it is the "
      "candidate alone, else INCONCLUSIVE. A stage ends at the look at which it is decided; later blocks of "
      "it are not run.",
      rules.void_blocks_max(), kFaultsMax);
  return json;
}

int planned_blocks(const stats::GateRules& rules) {
  return rules.stage_blocks_max() * (rules.confirm ? 2 : 1);
}

GateRun::GateRun(std::string baseline, std::string candidate, stats::GateRules rules, OnLook on_look)
    : on_look_(std::move(on_look)) {
  comparison_.baseline = std::move(baseline);
  comparison_.candidate = std::move(candidate);
  comparison_.rules = std::move(rules);
}

Expected<void> GateRun::begin(const Plan& plan) {
  auto family = output::gated_metrics(plan_to_json(plan));
  if (!family) return std::unexpected(family.error());
  if (family->empty()) {
    return usage_error(fmt::format(
        "suite {} gates no metric; give its cells gate_percent, or take another --gate", plan.suite));
  }
  comparison_.family = std::move(*family);
  comparison_.values.resize(comparison_.family.size());
  comparison_.voids.resize(comparison_.family.size());
  comparison_.rules = output::gate_rules(comparison_.family, comparison_.rules);
  gate_.emplace(comparison_.rules);
  return {};
}

Expected<std::optional<BlockRange>> GateRun::next(const Plan& plan, int block,
                                                  const std::vector<Json>& records) {
  if (block < 0) {
    if (auto ok = begin(plan); !ok) return std::unexpected(ok.error());
    return range_from(0);
  }
  const size_t looks = gate_->result().looks.size();
  const Gate::Next next = take(records);
  comparison_.result = gate_->result();
  if (on_look_ && (looks != comparison_.result.looks.size() || next == Gate::Next::kEnd)) {
    if (auto ok = on_look_(comparison_); !ok) return std::unexpected(ok.error());
  }
  if (next == Gate::Next::kEnd) return std::nullopt;
  if (next == Gate::Next::kBlock) return range_from(block + 1);
  faults_.clear();
  return range_from(comparison_.rules.stage_blocks_max());
}

Gate::Next GateRun::take(const std::vector<Json>& records) {
  if (settle_faults(records)) return Gate::Next::kEnd;
  const auto answers =
      output::block_answers(records, comparison_.family, comparison_.baseline, comparison_.candidate);
  std::vector<stats::BlockValue> block;
  for (size_t q = 0; q < answers.size(); ++q) {
    const output::BlockAnswer& answer = answers[q];
    if (!answer.values) {
      comparison_.voids[q].add(answer);
      block.push_back({std::nullopt, answer.out_of_reach});
      continue;
    }
    if (gate_->stage() == 0) comparison_.values[q].push_back(*answer.values);
    block.push_back(
        {output::log_ratio(*answer.values, comparison_.family[q]), false, answer.covariate.value_or(0)});
  }
  return gate_->add(block);
}

bool GateRun::settle_faults(const std::vector<Json>& records) {
  std::set<std::string> failed;
  std::string reason;
  for (const Json& record : records) {
    if (!is_fault(record)) continue;
    const std::string subject = text_at(record, "subject");
    if (failed.insert(subject).second && ++faults_[subject] >= kFaultsMax) {
      reason = fmt::format("{} {} in {} blocks: {}", subject, text_at(record, "status"), kFaultsMax,
                           text_at(record, "reason"));
    }
  }
  if (reason.empty()) return false;
  const bool candidate_alone = faults_[comparison_.baseline] == 0;
  gate_->end(candidate_alone ? Verdict::kRegression : Verdict::kInconclusive, reason);
  return true;
}

BlockRange GateRun::range_from(int block) const {
  return {block, gate_->stage() * comparison_.rules.stage_blocks_max() + gate_->expected_blocks() - 1};
}

}  // namespace tickmark::run
