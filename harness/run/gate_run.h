#pragma once
// The gate on a run in progress: after each block it says which block comes next, by rules that stand in the
// plan. It chooses among planned blocks and looks at nothing else.

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "harness/output/comparison.h"
#include "harness/run/run.h"

namespace tickmark::run {

/// plan.json's `gate` for these rules, with its `rerun_rule`.
output::Json planned_gate(const stats::GateRules& rules, const std::string& baseline,
                          const std::string& candidate);

/// Blocks of a plan that leaves room for both stages and every replacement.
int planned_blocks(const stats::GateRules& rules);

class GateRun {
 public:
  /// Called after each look, with the comparison so far.
  using OnLook = std::function<Expected<void>(const output::Comparison& comparison)>;

  /// `rules` without a family: that is read from the plan. `on_look` may be empty.
  GateRun(std::string baseline, std::string candidate, stats::GateRules rules, OnLook on_look);

  /// A NextBlocks: give the run a lambda that calls it.
  Expected<std::optional<BlockRange>> next(const Plan& plan, int block,
                                           const std::vector<output::Json>& records);

  const output::Comparison& comparison() const { return comparison_; }

 private:
  Expected<void> begin(const Plan& plan);
  stats::Gate::Next take(const std::vector<output::Json>& records);
  /// Ends the comparison if a subject has failed too often; whether it did.
  bool settle_faults(const std::vector<output::Json>& records);
  BlockRange range_from(int block) const;

  output::Comparison comparison_;
  OnLook on_look_;
  std::optional<stats::Gate> gate_;
  std::map<std::string, int> faults_;  ///< of the stage: blocks in which a subject failed
};

}  // namespace tickmark::run
