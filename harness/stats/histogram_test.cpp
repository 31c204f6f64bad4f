#include "harness/stats/histogram.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "harness/base/random.h"

namespace tickmark::stats {
namespace {

/// Log-uniform over 1 ns .. 100 s.
std::vector<int64_t> log_uniform(size_t n, uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<int64_t> values(n);
  for (auto& v : values) v = std::llround(std::exp(random.uniform() * std::log(100e9)));
  return values;
}

Histogram recorded(const std::vector<int64_t>& values) {
  Histogram h;
  for (int64_t v : values) h.record(Nanos{v});
  return h;
}

void expect_same(const Histogram& a, const Histogram& b) {
  ASSERT_EQ(a.layout(), b.layout());
  EXPECT_TRUE(std::ranges::equal(a.counts(), b.counts()));
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.min(), b.min());
  EXPECT_EQ(a.max(), b.max());
  EXPECT_EQ(a.mean_ns(), b.mean_ns());
  EXPECT_EQ(a.above_range(), b.above_range());
  EXPECT_EQ(a.below_range(), b.below_range());
}

/// The value a bucket reports: its highest.
Nanos reported(Nanos value) {
  const LogLinearLayout layout;
  return Nanos{
      static_cast<int64_t>(layout.highest_at(layout.index_of(static_cast<uint64_t>(value.count()))))};
}

TEST(LogLinearLayout, every_bucket_follows_its_predecessor_without_gap) {
  for (const LogLinearLayout layout :
       {LogLinearLayout{10, 37}, LogLinearLayout{5, 37}, LogLinearLayout{4, 5}}) {
    uint64_t next = 0;
    for (size_t i = 0; i < layout.bucket_count(); ++i) {
      ASSERT_EQ(layout.lowest_at(i), next);
      ASSERT_EQ(layout.index_of(layout.lowest_at(i)), i);
      ASSERT_EQ(layout.index_of(layout.highest_at(i)), i);
      ASSERT_LE(static_cast<double>(layout.highest_at(i) - layout.lowest_at(i)),
                layout.relative_error() * static_cast<double>(layout.lowest_at(i)));
      next = layout.highest_at(i) + 1;
    }
    EXPECT_EQ(next - 1, layout.max_value());
  }
}

TEST(LogLinearLayout, default_promises_a_tenth_of_a_percent_up_to_100_s) {
  EXPECT_LE(LogLinearLayout{}.relative_error(), 0.001);
  EXPECT_GE(LogLinearLayout{}.max_value(), 100'000'000'000u);
  EXPECT_EQ(LogLinearLayout{}.bucket_count(), 28u * 1024u);  // HdrHistogram(1, 2^37-1, 3): 27 buckets
}

TEST(Histogram, quantiles_of_a_million_values_stay_within_the_bound) {
  std::vector<int64_t> values = log_uniform(1'000'000, 1);
  const Histogram h = recorded(values);
  std::sort(values.begin(), values.end());
  double worst = 0;
  for (int i = 0; i <= 10'000; ++i) {
    const double q = i / 10'000.0;
    const int64_t exact = values[quantile_rank(q, values.size()) - 1];
    const int64_t reported = h.quantile(q)->count();
    ASSERT_GE(reported, exact) << q;  // never understated
    worst = std::max(worst, static_cast<double>(reported - exact) / static_cast<double>(exact));
  }
  EXPECT_LE(worst, h.layout().relative_error());
  EXPECT_GT(worst, 0.0);
  EXPECT_EQ(h.quantile(1.0)->count(), values.back());
  EXPECT_EQ(h.min()->count(), values.front());
  EXPECT_EQ(h.max()->count(), values.back());
}

TEST(Histogram, mean_is_exact) {
  const std::vector<int64_t> values = log_uniform(10'000, 2);
  unsigned __int128 sum = 0;
  for (int64_t v : values) sum += static_cast<uint64_t>(v);
  EXPECT_EQ(*recorded(values).mean_ns(), static_cast<double>(sum) / 10'000);
}

TEST(Histogram, merge_equals_the_union) {
  const std::vector<int64_t> all = log_uniform(50'000, 3);
  Histogram left = recorded({all.begin(), all.begin() + 17'000});
  left.record(Nanos{-1});
  const Histogram right = recorded({all.begin() + 17'000, all.end()});
  ASSERT_TRUE(left.merge(right));
  Histogram together = recorded(all);
  together.record(Nanos{-1});
  expect_same(left, together);
}

TEST(Histogram, merge_refuses_another_layout_and_changes_nothing) {
  Histogram h;
  h.record(5ns);
  Histogram other(LogLinearLayout{5, 37});
  other.record(5ns);
  const auto result = h.merge(other);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("different layouts"), std::string::npos);
  EXPECT_EQ(h.count(), 1u);
}

TEST(Histogram, merging_an_empty_one_changes_nothing) {
  Histogram h;
  h.record(7us);
  ASSERT_TRUE(h.merge(Histogram{}));
  EXPECT_EQ(h.min(), Nanos{7us});
  EXPECT_EQ(h.max(), Nanos{7us});
}

TEST(Histogram, values_outside_saturate_and_are_counted) {
  Histogram h;
  h.record(Nanos{-5});
  h.record(Nanos{0});
  h.record(200s);
  h.record(Nanos::max());
  EXPECT_EQ(h.count(), 4u);
  EXPECT_EQ(h.below_range(), 1u);
  EXPECT_EQ(h.above_range(), 2u);
  EXPECT_EQ(h.min(), Nanos{0});
  EXPECT_EQ(static_cast<uint64_t>(h.max()->count()), h.layout().max_value());
}

TEST(Histogram, a_negative_value_counts_as_zero) {
  Histogram h;
  h.record(Nanos{-5});
  EXPECT_EQ(h.max(), Nanos{0});
  EXPECT_EQ(h.counts()[0], 1u);
}

TEST(Histogram, empty_has_no_statistics) {
  Histogram h;
  EXPECT_FALSE(h.quantile(0.5));
  EXPECT_FALSE(h.min());
  EXPECT_FALSE(h.mean_ns());
  h.record(1ms);
  h.clear();
  EXPECT_FALSE(h.max());
  expect_same(h, Histogram{});
}

TEST(Histogram, recording_many_at_once_equals_one_by_one) {
  Histogram once, many;
  once.record(123us, 1000);
  for (int i = 0; i < 1000; ++i) many.record(123us);
  expect_same(once, many);
}

TEST(Histogram, from_counts_keeps_every_count) {
  const Histogram h = recorded(log_uniform(10'000, 4));
  const Histogram copy = Histogram::from_counts(h.layout(), h.counts());
  EXPECT_TRUE(std::ranges::equal(h.counts(), copy.counts()));
  EXPECT_EQ(h.count(), copy.count());
  EXPECT_NEAR(*copy.mean_ns() / *h.mean_ns(), 1.0, h.layout().relative_error() / 2);
}

TEST(QuantileRank, is_the_ceiling_without_rounding_noise) {
  EXPECT_EQ(quantile_rank(0.0, 10), 1u);
  EXPECT_EQ(quantile_rank(0.5, 10), 5u);
  EXPECT_EQ(quantile_rank(0.51, 10), 6u);
  EXPECT_EQ(quantile_rank(0.07, 100), 7u);  // 0.07 * 100 is 7.000000000000001
  EXPECT_EQ(quantile_rank(0.99, 100), 99u);
  EXPECT_EQ(quantile_rank(1.0, 3), 3u);
}

TEST(PercentileSupported, needs_ten_values_above) {
  EXPECT_TRUE(percentile_supported(100, 0.9));
  EXPECT_FALSE(percentile_supported(99, 0.9));
  EXPECT_TRUE(percentile_supported(10'000, 0.999));
  EXPECT_FALSE(percentile_supported(9'999, 0.999));
}

TEST(CensoredQuantile, equals_the_plain_one_when_nothing_is_unanswered) {
  const Histogram h = recorded(log_uniform(1'000, 5));
  const auto c = censored_quantile(h, Histogram{}, 0.99);
  EXPECT_EQ(c->value, h.quantile(0.99));
  EXPECT_EQ(c->upper, h.quantile(0.99));
  EXPECT_FALSE(c->at_least);
}

TEST(CensoredQuantile, says_at_least_once_the_unanswered_reach_the_rank) {
  Histogram completed, unanswered;
  completed.record(1ms, 990);
  unanswered.record(5s, 10);
  EXPECT_FALSE(censored_quantile(completed, unanswered, 0.99)->at_least);  // 10 = (1-q)n: still known
  EXPECT_EQ(censored_quantile(completed, unanswered, 0.99)->value, reported(1ms));
  unanswered.record(5s);
  const auto c = censored_quantile(completed, unanswered, 0.99);
  EXPECT_TRUE(c->at_least);
  EXPECT_EQ(c->value, Nanos{5s});
  EXPECT_FALSE(c->upper);
}

TEST(CensoredQuantile, young_unanswered_requests_widen_the_statement) {
  Histogram completed, unanswered;
  completed.record(1ms, 50);
  completed.record(9ms, 49);
  unanswered.record(1ns);  // its lower bound says almost nothing
  const auto c = censored_quantile(completed, unanswered, 0.51);
  EXPECT_EQ(c->value, reported(1ms));
  EXPECT_EQ(c->upper, Nanos{9ms});
  EXPECT_FALSE(c->at_least);
}

TEST(CensoredQuantile, counts_saturated_values_as_unbounded) {
  Histogram completed;
  completed.record(1ms, 9);
  completed.record(200s);
  EXPECT_TRUE(censored_quantile(completed, Histogram{}, 1.0)->at_least);
  EXPECT_FALSE(censored_quantile(completed, Histogram{}, 0.9)->at_least);
}

}  // namespace
}  // namespace tickmark::stats
