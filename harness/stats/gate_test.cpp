// The whole gate on made-up comparisons of which the truth is known, and its parts on small examples.

#include "harness/stats/gate.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "harness/stats/looks.h"
#include "harness/stats/signed_rank.h"
#include "harness/stats/simulated_blocks.h"

namespace tickmark::stats {
namespace {

std::vector<SimulatedMetric> pair_of(const BlockNoise& noise, double slowdown) {
  return {{noise, slowdown}, {memory_noise(), 0}};
}

/// A/A on three machines, 10,000 comparisons in all.
struct AA {
  const char* machine;
  BlockNoise noise;
  int comparisons;
};
const AA kAA[] = {
    {"quiet", quiet_machine(), 2500}, {"usual", usual_machine(), 4000}, {"busy", busy_machine(), 3500}};

TEST(SignedRankP, is_the_share_of_the_sign_assignments) {
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{3, 1, 2}), 1.0 / 8);
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{3, -1, 2}),
                   2.0 / 8);  // ranks 3 + 2, reached by {3,2}, {3,2,1}
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{9, -1, -1}),
                   5.0 / 8);  // 3, 1.5, 1.5: the four with 3, and 1.5 + 1.5
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{0, 0, 5}), 1.0 / 2);  // zeros have no sign
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{0, 0}), 1.0);
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{-1, -2}), 1.0);
  const std::vector<double> all(12, 1.0);
  EXPECT_DOUBLE_EQ(signed_rank_p(all), std::pow(2.0, -12));
}

TEST(SignedRankP, agrees_with_the_table_of_its_distribution) {
  std::vector<double> d(30);
  for (size_t i = 0; i < d.size(); ++i) d[i] = (i % 3 == 0 ? -1.0 : 1.0) * static_cast<double>(i + 1);
  int64_t positive = 0;
  for (const double v : d) positive += v > 0 ? static_cast<int64_t>(v) : 0;
  EXPECT_NEAR(signed_rank_p(d), 1 - signed_rank_cdf(30, positive - 1), 1e-12);
}

TEST(Looks, levels_are_those_of_the_spending_function_and_add_up) {
  // Lan and DeMets 1983, alpha 0.05, at half of the information: 2 (1 - Phi(1.96 / sqrt(0.5))) = 0.00557.
  EXPECT_NEAR(error_spent(0.05, 0.5), 0.00557, 1e-5);
  EXPECT_NEAR(error_spent(0.05, 1), 0.05, 1e-12);
  const int looks[] = {12, 20, 30};
  const std::vector<double> levels = look_levels(looks, 0.05);
  EXPECT_NEAR(std::accumulate(levels.begin(), levels.end(), 0.0), 0.05, 1e-12);
  EXPECT_LT(std::pow(2.0, -12), levels[0] / 2)
      << "the first look of a family of two could never say anything";
}

TEST(Gate, clear_cases_are_decided_at_the_first_look_and_regressions_twice) {
  Gate same(default_gate_rules());
  for (int b = 0; b < 11; ++b) EXPECT_EQ(same.add(std::vector<double>{0.001, 0}), Gate::Next::kBlock);
  EXPECT_EQ(same.add(std::vector<double>{-0.001, 0}), Gate::Next::kEnd);
  EXPECT_EQ(same.result().verdict, Verdict::kOk);

  Gate slow(default_gate_rules());
  for (int b = 0; b < 11; ++b) EXPECT_EQ(slow.add(std::vector<double>{0.1, 0}), Gate::Next::kBlock);
  EXPECT_EQ(slow.add(std::vector<double>{0.1, 0}), Gate::Next::kConfirmation);
  EXPECT_FALSE(slow.ended());
  for (int b = 0; b < 12; ++b) slow.add(std::vector<double>{0.1, 0.5});  // memory is not asked any more
  EXPECT_EQ(slow.result().verdict, Verdict::kRegression);
  EXPECT_EQ(slow.result().confirmed, std::vector<size_t>{0});
  EXPECT_EQ(slow.result().looks.size(), 2u);
  EXPECT_NEAR(slow.result().looks[1].metrics[0].log_ratio.value, 0.1, 1e-12);
}

TEST(Gate, what_is_seen_once_and_not_again_is_no_regression) {
  Gate gate(default_gate_rules());
  for (int b = 0; b < 12; ++b) gate.add(std::vector<double>{0.1, 0});
  EXPECT_EQ(gate.stage(), 1);
  for (int b = 0; b < 12; ++b) gate.add(std::vector<double>{0.0, 0});
  EXPECT_TRUE(gate.ended());
  EXPECT_EQ(gate.result().verdict, Verdict::kInconclusive);
  EXPECT_NE(gate.result().reason.find("not again"), std::string::npos);
}

TEST(Gate, a_slowdown_below_the_margin_is_no_regression_however_sure) {
  Gate gate(default_gate_rules());
  while (!gate.ended()) gate.add(std::vector<double>{std::log(1.02), 0});
  EXPECT_EQ(gate.result().verdict, Verdict::kOk);
  EXPECT_LT(gate.result().looks[0].metrics[0].p_slower, 0.001);
}

using Block = std::vector<BlockValue>;
constexpr BlockValue kVoid{std::nullopt, false};
constexpr BlockValue kOutOfReach{std::nullopt, true};

TEST(Gate, blocks_void_for_every_metric_are_replaced_up_to_the_plans_share) {
  Gate gate(default_gate_rules());
  EXPECT_EQ(gate.rules().stage_blocks_max(), 39);
  for (int b = 0; b < 9; ++b) EXPECT_EQ(gate.add(Block{kVoid, kVoid}), Gate::Next::kBlock);
  EXPECT_EQ(gate.expected_blocks(), 39);
  EXPECT_EQ(gate.add(Block{kVoid, kVoid}), Gate::Next::kEnd);
  EXPECT_EQ(gate.result().verdict, Verdict::kInconclusive);
  EXPECT_NE(gate.result().reason.find("makes good (9)"), std::string::npos) << gate.result().reason;
}

TEST(Gate, a_block_void_for_one_metric_counts_for_the_other) {
  Gate gate(default_gate_rules());
  for (int b = 0; b < 3; ++b) gate.add(Block{{0.001, false}, kVoid});
  EXPECT_EQ(gate.expected_blocks(), 33);
  int more = 0;
  for (; !gate.ended(); ++more) gate.add(std::vector<double>{0.001, 0});
  EXPECT_EQ(more, 12) << "what is void is made good before the look";
  EXPECT_EQ(gate.result().verdict, Verdict::kOk);
  EXPECT_EQ(gate.result().looks[0].metrics[0].blocks, 15);
  EXPECT_EQ(gate.result().looks[0].metrics[1].blocks, 12);
  EXPECT_EQ(gate.result().void_blocks[0], 3);
}

/// The second metric is `never` to be had; the first shows `log_ratio`.
GateResult judged_without_the_second(double log_ratio, BlockValue never) {
  Gate gate(default_gate_rules());
  while (!gate.ended()) gate.add(Block{{log_ratio, false}, never});
  return gate.result();
}

TEST(Gate, a_metric_out_of_the_generators_reach_is_given_up_and_the_others_are_judged) {
  const GateResult same = judged_without_the_second(0, kOutOfReach);
  EXPECT_EQ(same.verdict, Verdict::kOk);
  EXPECT_EQ(same.blocks[0], 12) << "no block is run again for it";
  ASSERT_EQ(same.given_up.size(), 1u);
  EXPECT_EQ(same.given_up[0].metric, 1u);
  EXPECT_EQ(same.given_up[0].void_blocks, 10);
  EXPECT_TRUE(same.given_up[0].out_of_reach);
  EXPECT_EQ(judged_without_the_second(0.1, kOutOfReach).verdict, Verdict::kRegression);
}

TEST(Gate, a_metric_that_noise_made_void_leaves_no_ok_but_hides_no_regression) {
  const GateResult same = judged_without_the_second(0, kVoid);
  EXPECT_EQ(same.verdict, Verdict::kInconclusive);
  EXPECT_NE(same.reason.find("memory_bytes_per_connection was void in 10 blocks"), std::string::npos)
      << same.reason;
  EXPECT_EQ(judged_without_the_second(0.1, kVoid).verdict, Verdict::kRegression);
}

TEST(Gate, a_regression_that_cannot_be_asked_again_is_not_confirmed) {
  Gate gate(default_gate_rules());
  for (int b = 0; b < 12; ++b) gate.add(std::vector<double>{0.1, 0});
  ASSERT_EQ(gate.stage(), 1);
  while (!gate.ended()) gate.add(Block{kVoid, {0, false}});
  EXPECT_EQ(gate.result().verdict, Verdict::kInconclusive);
  EXPECT_EQ(gate.result().void_blocks[1], 10);
}

TEST(GateSimulated, false_alarms_and_coverage_of_10_000_comparisons_of_the_same_with_itself) {
  const GateRules rules = default_gate_rules();
  int all = 0, regressions = 0, first_stage = 0;
  for (const AA& aa : kAA) {
    const SimulatedRates seen = simulated_rates(rules, pair_of(aa.noise, 0), aa.comparisons, 1'000'000);
    all += seen.comparisons;
    regressions += seen.regressions;
    first_stage += seen.first_stage_alarms;
    const double coverage = static_cast<double>(seen.covering) / seen.comparisons;
    EXPECT_GE(coverage, 0.925) << aa.machine;
    EXPECT_LE(coverage, 0.975) << aa.machine;
  }
  EXPECT_EQ(all, 10'000);
  EXPECT_LE(regressions, at_most(all, rules.alpha * rules.alpha));
  EXPECT_LE(first_stage, at_most(all, rules.alpha));
}

/// One stage, at the edge of its null hypothesis: every alarm is false, and nothing but the levels holds
/// them.
GateRules edge_rules() {
  GateRules rules = default_gate_rules();
  for (GateMetric& metric : rules.family) metric.margin = rules.floor;
  rules.confirm = false;
  return rules;
}

SimulatedRates rates_at_the_edge(const GateRules& rules, int comparisons) {
  const std::vector<SimulatedMetric> edge{{usual_machine(), rules.floor}, {usual_machine(), rules.floor}};
  return simulated_rates(rules, edge, comparisons, 2'000'000);
}

TEST(GateSimulated, at_the_edge_of_the_null_hypothesis_the_error_is_used_and_not_exceeded) {
  const GateRules rules = edge_rules();
  const SimulatedRates seen = rates_at_the_edge(rules, 2000);
  EXPECT_LE(seen.regressions, at_most(seen.comparisons, rules.alpha));
  EXPECT_GE(seen.regressions, 0.5 * rules.alpha * seen.comparisons) << "power is given away";
}

TEST(GateSimulated, void_blocks_do_not_raise_the_rate_of_false_alarms) {
  GateRules rules = edge_rules();
  const std::vector<SimulatedMetric> edge{{usual_machine(), rules.floor}, {usual_machine(), rules.floor}};
  constexpr int kComparisons = 1000;
  int regressions = 0;
  for (uint64_t i = 0; i < kComparisons; ++i) {
    Gate gate(rules);
    SimulatedBlocks blocks(edge, 8'000'000 + i);
    SplitMix64 random(i);
    while (!gate.ended()) {
      Block block;
      for (const BlockValue& value : blocks.next()) {
        block.push_back(random.uniform() < 0.2 ? kVoid : value);
      }
      gate.add(block);
    }
    regressions += gate.result().verdict == Verdict::kRegression ? 1 : 0;
  }
  EXPECT_LE(regressions, at_most(kComparisons, rules.alpha));
}

// The edits that a gate must not have, each seen by the same simulations.

TEST(GateSimulated, naive_peeking_exceeds_the_rate) {
  GateRules peeking = edge_rules();
  peeking.looks.resize(25);
  std::iota(peeking.looks.begin(), peeking.looks.end(), 6);
  peeking.levels.assign(peeking.looks.size(), peeking.alpha);
  const SimulatedRates seen = rates_at_the_edge(peeking, 300);
  EXPECT_GT(seen.regressions, at_most(seen.comparisons, peeking.alpha)) << "the mutant passes for a gate";
}

TEST(GateSimulated, without_confirmation_the_rate_of_the_whole_gate_is_exceeded) {
  GateRules once = default_gate_rules();
  once.confirm = false;
  const SimulatedRates seen = simulated_rates(once, pair_of(busy_machine(), 0.01), 1000, 4'000'000);
  EXPECT_GT(seen.regressions, at_most(seen.comparisons, once.alpha * once.alpha));
}

TEST(GateSimulated, slowdowns_are_found) {
  const GateRules rules = default_gate_rules();
  struct Case {
    const char* machine;
    BlockNoise noise;
    double slowdown;
    double least, most;  ///< detection rate of the whole gate
  };
  const Case cases[] = {{"quiet", quiet_machine(), 0.05, 0.97, 1},
                        {"usual", usual_machine(), 0.02, 0, 0.15},  // below the margin
                        {"usual", usual_machine(), 0.10, 0.97, 1},
                        {"busy", busy_machine(), 0.20, 0.85, 1}};
  for (const Case& c : cases) {
    const SimulatedRates seen = simulated_rates(rules, pair_of(c.noise, c.slowdown), 250, 5'000'000);
    const double found = static_cast<double>(seen.regressions) / seen.comparisons;
    EXPECT_GE(found, c.least) << c.machine << " " << c.slowdown;
    EXPECT_LE(found, c.most) << c.machine << " " << c.slowdown;
  }
}

TEST(GateSimulated, a_slowdown_of_the_margin_is_hardly_ever_called_ok) {
  const GateRules rules = default_gate_rules();
  const SimulatedRates seen = simulated_rates(rules, pair_of(usual_machine(), 0.03), 1000, 6'000'000);
  EXPECT_LE(seen.oks, at_most(seen.comparisons, rules.alpha));
}

TEST(GateSimulated, what_it_says_it_detects_it_detects) {
  const GateRules rules = Gate(default_gate_rules()).rules();
  const double spread = std::sqrt(2.0) * 0.04;
  BlockNoise normal;
  normal.slot = 0.04;
  normal.skew = normal.hit_chance = normal.second_slot = 0;
  const double slowdown = detectable_slowdown(rules, 0.03, spread, rules.family.size());
  const SimulatedRates seen = simulated_rates(rules, pair_of(normal, slowdown), 500, 7'000'000);
  EXPECT_NEAR(static_cast<double>(seen.regressions) / seen.comparisons, 0.8, 0.1) << slowdown;
}

}  // namespace
}  // namespace tickmark::stats
