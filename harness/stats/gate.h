#pragma once
// The regression gate: from log-ratios of blocks to one of three verdicts, with known error rates. Pure: the
// command feeds it what was measured, the tests feed it 10,000 made-up comparisons, and both meet the same
// code.
//
// A block gives one log-ratio d = ln(candidate / baseline) per metric, turned so that + is worse. At each
// look:
//   REGRESSION   Holm-adjusted signed_rank_p(d - ln(1 + floor)) <= the look's level, and the slowdown
//                estimated exceeds the metric's margin;
//   OK           signed_rank_p(ln(1 + margin) - d) <= the look's level for every metric: a slowdown of the
//                margin or more is refuted, which is the half of an equivalence test that a gate needs;
//                (of a metric with a covariate d is what is left without it: covariate.h. Its plain estimate
//                must then agree: above the floor for REGRESSION, below the margin for OK. A condition more
//                makes neither likelier);
//   INCONCLUSIVE neither at the last look.
// A REGRESSION must be seen again in a second stage of new blocks, by the metrics that showed it.
//
// A block may be void for one metric and not for another. A look is taken when every metric has its valid
// blocks, so what is void is made good by more blocks; a metric void in more of a stage's blocks than
// void_share allows is given up. The others are judged without it, and the gate then says OK only if it was
// out of reach: void because the load generator was at its limit, which no repetition changes and which is
// told. Whether a block is void is decided without a look at its values, so every p stays exact.
//
// Error rates. Under no difference the random order makes d symmetric about 0, so each p is exact; Holm
// bounds the family at a look, the levels of looks.h bound all looks of a stage by alpha, and the stages
// share no block: the whole gate says REGRESSION with chance alpha^2 at most. A stage says OK of a slowdown
// of the margin or more with chance alpha at most.
//
// Sources: looks.h; paired.h; covariate.h; Holm 1979; Schuirmann 1987 (two one-sided tests).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stats/covariate.h"
#include "harness/stats/paired.h"

namespace tickmark::stats {

enum class Verdict { kRegression, kOk, kInconclusive };
/// "REGRESSION", "OK", "INCONCLUSIVE"
std::string_view name_of(Verdict verdict);

/// One question of the family.
struct GateMetric {
  std::string name;
  double margin = 0.03;  ///< the slowdown from which it matters, as a share; at least the rules' floor
  SlopeRange slopes{};   ///< of its covariate; none: it has none
};

/// What one block says of one metric.
struct BlockValue {
  std::optional<double> log_ratio;  ///< + is worse; nothing: void
  bool out_of_reach = false;        ///< of a void one: the load generator was at its limit
  double covariate = 0;             ///< as BlockDifference
};

/// Everything that is fixed before the first block.
struct GateRules {
  std::vector<GateMetric> family;
  std::vector<int> looks{12, 20, 30};  ///< valid blocks of a stage at which it is judged; rising
  std::vector<double> levels;          ///< what each look may spend; empty: look_levels(looks, alpha)
  double alpha = 0.05;                 ///< of a stage, one-sided
  double floor = 0.01;                 ///< a slowdown no larger is nothing: the null hypothesis
  double confidence = 0.95;            ///< of the intervals that are told
  bool confirm = true;
  double void_share = 0.3;  ///< of looks.back(): so many void blocks of a metric are made good, no more

  int void_blocks_max() const;
  /// A stage takes at most so many blocks, void ones included.
  int stage_blocks_max() const { return looks.back() + void_blocks_max(); }
};

/// One metric at one look.
struct MetricLook {
  size_t metric = 0;             ///< index into the family
  int blocks = 0;                ///< valid for it: the look's number, or more where others had void ones
  Estimate log_ratio;            ///< Hodges-Lehmann, + is worse; without what the covariate explains
  Estimate plain;                ///< the same with it
  double slope = 0;              ///< of the covariate, at the estimate; 0 without one
  double spread = 0;             ///< of what the estimate rests on: 1.4826 x median absolute deviation
  double plain_spread = 0;       ///< the same, covariate's part included
  double p_slower = 1;           ///< that the slowdown is at most the floor
  double p_slower_adjusted = 1;  ///< the same by Holm, over the metrics asked
  double p_margin = 1;           ///< that the slowdown is the margin or more
  double p_speedup = 1;   ///< that it is a speed-up of the margin or more: the equivalence test's other half
  double detectable = 0;  ///< see detectable_slowdown()
  Verdict verdict = Verdict::kInconclusive;
};

struct Look {
  int stage = 0;  ///< 0, or 1 for the confirmation
  int blocks = 0;
  double level = 0;
  std::vector<MetricLook> metrics;  ///< those asked
  Verdict verdict = Verdict::kInconclusive;
};

/// Judges one look. columns[m] holds the blocks of family member m, at least rules.looks[look]; `asked` are
/// the members whose word counts.
Look judge_look(const GateRules& rules, std::span<const size_t> asked,
                std::span<const std::vector<BlockDifference>> columns, size_t look);

/// The true slowdown (a share) that the whole gate, confirmation included, would call REGRESSION with chance
/// 80 %, were it given all its blocks: the larger of floor + (z_level + z_power) s / sqrt(n) and
/// margin + z_power s / sqrt(n), on the scale of logarithms, with s = `spread` and a level of the last look
/// divided by the family. An approximation by the normal distribution, for orientation.
double detectable_slowdown(const GateRules& rules, double margin, double spread, size_t asked);

/// A metric that was void too often.
struct GivenUp {
  size_t metric = 0;  ///< index into the family
  int stage = 0;
  int void_blocks = 0;
  bool out_of_reach = false;  ///< at least half of them for the load generator's limit
};

/// What a comparison has come to.
struct GateResult {
  Verdict verdict = Verdict::kInconclusive;
  std::vector<Look> looks;        ///< in the order they were taken
  std::vector<size_t> confirmed;  ///< family members that are regressions
  std::string reason;             ///< a sentence where the blocks alone do not say why
  std::vector<GivenUp> given_up;
  int blocks[2] = {0, 0};       ///< valid for at least one metric asked, by stage
  int void_blocks[2] = {0, 0};  ///< void for at least one metric asked
};

/// One comparison in progress: takes blocks one by one, and says what it wants next.
class Gate {
 public:
  enum class Next { kBlock, kConfirmation, kEnd };  ///< kConfirmation: a block, the first of the second stage

  /// `rules` must have a family, rising looks, and margins of at least the floor (asserted).
  explicit Gate(GateRules rules);

  /// A block, one value per family member.
  Next add(std::span<const BlockValue> block);
  /// A block that is valid for all.
  Next add(std::span<const double> log_ratios);
  /// Ends it without more blocks: a subject that cannot be measured.
  void end(Verdict verdict, std::string reason);

  bool ended() const { return ended_; }
  /// Blocks the stage takes if it goes to its last look and nothing else is void.
  int expected_blocks() const;
  int stage() const { return stage_; }
  const GateRules& rules() const { return rules_; }
  const GateResult& result() const { return result_; }

 private:
  void give_up_void_ones();
  Next settle(const Look& look);
  Next finish_first_stage(Verdict verdict);
  Next finish(Verdict verdict, std::string reason = "");

  GateRules rules_;
  GateResult result_;
  std::vector<size_t> asked_;
  std::vector<std::vector<BlockDifference>> columns_;  ///< of the stage
  std::vector<int> voids_, unreached_;  ///< of the stage, by metric: void blocks, and those out of reach
  size_t look_ = 0;                     ///< the next
  int stage_ = 0;
  bool ended_ = false;
};

}  // namespace tickmark::stats
