#include "harness/stats/counted.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace tickmark::stats {
namespace {

CountedAnswer judge(const std::vector<double>& baseline, const std::vector<double>& candidate) {
  return judge_counts(baseline, candidate, CountedRules{});
}

TEST(Counted, equal_counts_are_ok_with_a_ratio_of_one) {
  const CountedAnswer answer = judge({2000, 2000, 2000}, {2000, 2000, 2000});
  EXPECT_EQ(answer.verdict, Verdict::kOk);
  EXPECT_EQ(answer.ratio, 1);
  EXPECT_EQ(answer.baseline.spread, 0);
}

TEST(Counted, a_rise_beyond_one_per_cent_is_a_regression_and_one_of_it_is_not) {
  EXPECT_EQ(judge({1000, 1000, 1000}, {1010, 1010, 1010}).verdict, Verdict::kOk);
  EXPECT_EQ(judge({1000, 1000, 1000}, {1011, 1011, 1011}).verdict, Verdict::kRegression);
  EXPECT_EQ(judge({1000, 1000, 1000}, {900, 900, 900}).verdict, Verdict::kOk);
}

TEST(Counted, counts_that_do_not_agree_decide_nothing_whichever_side_they_are_of) {
  const std::vector<double> wild{1000, 1000, 1001.1}, tame{1000, 1000.5, 1001}, high{2000, 2000, 2000};
  EXPECT_EQ(judge(wild, tame).verdict, Verdict::kInconclusive);
  EXPECT_EQ(judge(tame, wild).verdict, Verdict::kInconclusive);
  EXPECT_EQ(judge(wild, high).verdict, Verdict::kInconclusive) << "not even where the difference is plain";
  EXPECT_EQ(judge(tame, tame).verdict, Verdict::kOk);
  EXPECT_NEAR(judge(wild, tame).baseline.spread, 0.0011, 1e-9);
}

TEST(Counted, the_middle_count_is_what_is_compared) {
  const CountedAnswer answer = judge({1000.2, 1000, 1000.9}, {1000.9, 1000.2, 1000});
  EXPECT_EQ(answer.baseline.middle, 1000.2);
  EXPECT_EQ(answer.ratio, 1);
}

TEST(Counted, what_was_free_and_is_no_more_is_a_regression) {
  const CountedAnswer paid = judge({0, 0, 0}, {1, 1, 1});
  EXPECT_EQ(paid.verdict, Verdict::kRegression);
  EXPECT_TRUE(std::isinf(paid.ratio));
  EXPECT_EQ(judge({0, 0, 0}, {0, 0, 0}).verdict, Verdict::kOk);
  EXPECT_EQ(judge({0, 0, 0.5}, {0, 0, 0}).verdict, Verdict::kInconclusive);
}

}  // namespace
}  // namespace tickmark::stats
