#include "harness/stats/paired.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "harness/base/random.h"
#include "harness/stats/signed_rank.h"

namespace tickmark::stats {
namespace {

/// Standard normal, Box-Muller.
double gaussian(SplitMix64& random) {
  return std::sqrt(2 * random.exponential()) * std::cos(2 * M_PI * random.uniform());
}

// Wilcoxon's table, e.g. McCornack 1965, JASA 60:864: largest value with tail probability <= alpha.
TEST(SignedRank, critical_values_are_those_of_the_published_table) {
  const int64_t two_sided_5_percent[] = {0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52};  // n = 6..20
  for (unsigned n = 6; n <= 20; ++n)
    EXPECT_EQ(signed_rank_critical(n, 0.025), two_sided_5_percent[n - 6]) << n;
  const int64_t two_sided_1_percent[] = {0, 1, 3, 5, 7, 9, 12, 15, 19, 23, 27, 32, 37};  // n = 8..20
  for (unsigned n = 8; n <= 20; ++n)
    EXPECT_EQ(signed_rank_critical(n, 0.005), two_sided_1_percent[n - 8]) << n;
  EXPECT_FALSE(signed_rank_critical(5, 0.025));
  EXPECT_FALSE(signed_rank_critical(7, 0.005));
  EXPECT_FALSE(signed_rank_critical(0, 0.025));
}

TEST(SignedRank, distribution_is_a_distribution) {
  EXPECT_DOUBLE_EQ(signed_rank_cdf(3, 3), 5.0 / 8);  // {}, {1}, {2}, {3}, {1,2}
  for (unsigned n : {1u, 7u, 50u}) {
    const int64_t top = n * (n + 1) / 2;
    EXPECT_NEAR(signed_rank_cdf(n, top), 1.0, 1e-12);
    EXPECT_EQ(signed_rank_cdf(n, -1), 0.0);
    EXPECT_NEAR(signed_rank_cdf(n, top / 3), 1 - signed_rank_cdf(n, top - top / 3 - 1), 1e-12);  // symmetric
  }
}

TEST(SignedRank, approximation_takes_over_without_a_jump) {
  // Exact values for 51 and 100 by an independent count with numpy.
  EXPECT_EQ(signed_rank_critical(50, 0.025), 434);
  EXPECT_NEAR(static_cast<double>(*signed_rank_critical(51, 0.025)), 453, 1);
  EXPECT_NEAR(static_cast<double>(*signed_rank_critical(100, 0.025)), 1955, 1);
}

TEST(NormalQuantile, knows_the_usual_values) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_NEAR(normal_quantile(0.5), 0.0, 1e-9);
  EXPECT_NEAR(normal_quantile(0.005), -2.5758293035489004, 1e-9);
}

TEST(Median, of_odd_and_even_counts) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median_absolute_deviation(std::vector<double>{1, 1, 2, 2, 4, 6, 9}), 1);
}

TEST(HodgesLehmann, equals_a_calculation_by_hand) {
  // Walsh averages of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6.
  EXPECT_EQ(hodges_lehmann(std::vector<double>{1, 2, 6}).value, 2.75);
}

TEST(HodgesLehmann, six_blocks_give_their_range_and_five_give_no_interval) {
  const std::vector<double> values = {0.3, -0.1, 0.2, 0.25, 0.05, 0.4};
  const Estimate six = hodges_lehmann(values);
  ASSERT_TRUE(six.interval);
  EXPECT_EQ(six.interval->low, -0.1);
  EXPECT_EQ(six.interval->high, 0.4);
  EXPECT_FALSE(hodges_lehmann(std::span(values).first(5)).interval);
  EXPECT_FALSE(hodges_lehmann(values, 0.99).interval);
}

// Depression scores of nine patients before and after (Hollander and Wolfe 1973, p. 29; in R's ?wilcox.test):
// estimate 0.46. The limits are the sixth of the 45 Walsh averages from either end (critical value 5), taken
// from an independent listing with numpy.
TEST(HodgesLehmann, reproduces_the_textbook_example) {
  const double x[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
  const double y[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  std::vector<double> d;
  for (int i = 8; i >= 0; --i) d.push_back(x[i] - y[i]);
  const Estimate e = hodges_lehmann(d);
  EXPECT_NEAR(e.value, 0.46, 1e-9);
  EXPECT_NEAR(e.interval->low, 0.010, 1e-9);
  EXPECT_NEAR(e.interval->high, 0.786, 1e-9);
}

/// Share of simulated comparisons whose interval holds the true ratio; heavy tails like those of a busy
/// machine.
double coverage(size_t n, double confidence, uint64_t seed) {
  SplitMix64 random(seed);
  const double truth = 1.07;
  const int rounds = 4'000;
  int covered = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> a, b;
    for (size_t i = 0; i < n; ++i) {
      const double block = std::exp(0.3 * gaussian(random));  // common to both, cancels
      const double spread = random.uniform() < 0.1 ? 0.25 : 0.03;
      a.push_back(block);
      b.push_back(block * truth * std::exp(spread * gaussian(random)));
    }
    covered += paired_ratio(a, b, confidence)->interval->contains(truth) ? 1 : 0;
  }
  return static_cast<double>(covered) / rounds;
}

TEST(PairedRatio, interval_covers_the_truth_as_often_as_it_says) {
  // Attained confidence: 1 - 2 P(W+ <= c). Three standard errors of 4,000 rounds are 0.01.
  for (size_t n : {6u, 10u, 20u, 60u}) {
    const double attained =
        n > kExactPairs ? 0.95
                        : 1 - 2 * signed_rank_cdf(static_cast<unsigned>(n),
                                                  *signed_rank_critical(static_cast<unsigned>(n), 0.025));
    EXPECT_NEAR(coverage(n, 0.95, 40 + n), attained, 0.011) << n;
  }
  EXPECT_NEAR(coverage(10, 0.90, 5), 1 - 2 * signed_rank_cdf(10, *signed_rank_critical(10, 0.05)), 0.015);
}

TEST(PairedRatio, distinguishes_only_what_the_interval_excludes) {
  const std::vector<double> a = {10, 11, 12, 13, 14, 15};
  std::vector<double> b = a;
  for (double& v : b) v *= 1.05;
  const auto slower = paired_ratio(a, b);
  ASSERT_TRUE(slower);
  EXPECT_NEAR(slower->ratio, 1.05, 1e-12);
  EXPECT_TRUE(slower->distinguishable());
  b[0] = a[0] * 0.99;
  EXPECT_FALSE(paired_ratio(a, b)->distinguishable());
  const auto few = paired_ratio(std::span(a).first(5), std::span(b).first(5));
  ASSERT_TRUE(few);
  EXPECT_FALSE(few->interval);
  EXPECT_FALSE(few->distinguishable());
}

TEST(PairedRatio, refuses_what_has_no_logarithm) {
  for (double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    const auto result = paired_ratio(std::vector<double>{1, 1}, std::vector<double>{1, bad});
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("pair 1"), std::string::npos);
  }
  EXPECT_FALSE(paired_ratio({}, {}));
}

TEST(SignFlip, is_exact_for_few_blocks) {
  EXPECT_EQ(sign_flip_p(std::vector<double>{1, 1, 1, 1, 1}, 1), 1.0 / 32);
  EXPECT_EQ(sign_flip_p(std::vector<double>{-1, -1, -1}, 1), 1.0);
  EXPECT_EQ(sign_flip_p(std::vector<double>{0.1, 0.2, -0.3}, 1), 5.0 / 8);  // ties with 0 count as reached
  EXPECT_EQ(sign_flip_p(std::vector<double>{1, 2, 3, -1}, 1), 3.0 / 16);    // 7, 5, 5 reach 5
}

TEST(SignFlip, samples_where_there_are_too_many) {
  SplitMix64 random(3);
  std::vector<double> d(20);
  for (double& v : d) v = 0.4 + gaussian(random);
  const double exact = sign_flip_p(d, 1);
  d.push_back(0.0);  // the same question with one more block that says nothing
  const double sampled = sign_flip_p(d, 1);
  EXPECT_NEAR(sampled, exact, 4 * std::sqrt(exact * (1 - exact) / 100'000) + 2e-5);
  EXPECT_EQ(sampled, sign_flip_p(d, 1));
  const std::vector<double> sure(30, 1.0);
  EXPECT_NEAR(sign_flip_p(sure, 2), 1.0 / 100'001, 1e-12);  // never zero
}

TEST(Holm, adjusts_as_in_the_published_example) {
  // Holm 1979 by hand: 4 x .005, 3 x .01, then .03 x 2 = .06, .04 x 1 -> not below its predecessor.
  const std::vector<double> adjusted = holm_adjusted(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  const double expected[] = {0.03, 0.06, 0.06, 0.02};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15);
  EXPECT_EQ(holm_adjusted(std::vector<double>{0.9, 0.8})[0], 1.0);
  EXPECT_TRUE(holm_adjusted({}).empty());
}

}  // namespace
}  // namespace tickmark::stats
