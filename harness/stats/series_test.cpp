#include "harness/stats/series.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "harness/base/random.h"
#include "harness/stats/histogram.h"

namespace tickmark::stats {
namespace {

TEST(TimeSeries, puts_each_value_into_its_window) {
  TimeSeries series(10s, 1s);
  ASSERT_EQ(series.points().size(), 10u);
  series.record(10s, 1ms);
  series.record(10s + 99ms, 3ms);
  series.record(10s + 100ms, 2ms);
  series.record_error(10s + 950ms);
  series.record(11s, 1ms);             // the end is outside
  series.record(10s - Nanos{1}, 1ms);  // so is one ns before the start
  series.record_error(Nanos{0});
  EXPECT_EQ(series.points()[0].completed, 2u);
  EXPECT_EQ(series.points()[0].sum, Nanos{4ms});
  EXPECT_EQ(series.points()[0].max, Nanos{3ms});
  EXPECT_EQ(series.points()[1].completed, 1u);
  EXPECT_EQ(series.points()[9].errors, 1u);
  EXPECT_EQ(series.outside(), 3u);
  EXPECT_FALSE(series.quantile(2, 3, 0.5));
}

TEST(TimeSeries, rounds_the_number_of_windows_up) {
  EXPECT_EQ(TimeSeries(0s, 1050ms).points().size(), 11u);
  EXPECT_EQ(TimeSeries(0s, 1ms).points().size(), 1u);
}

TEST(TimeSeries, quantiles_stay_within_their_bound) {
  SplitMix64 random(6);
  TimeSeries series(0s, 1s, 500ms);
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(std::llround(std::exp(random.uniform() * std::log(100e9))));
    series.record(Nanos{i % 2 * 500'000'000}, Nanos{values.back()});
  }
  std::sort(values.begin(), values.end());
  for (double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const auto exact = static_cast<double>(values[quantile_rank(q, values.size()) - 1]);
    EXPECT_NEAR(static_cast<double>(series.quantile(0, 2, q)->count()) / exact, 1.0, 1.0 / 32) << q;
  }
}

TEST(TimeSeries, saturates_instead_of_leaving_the_histogram) {
  TimeSeries series(0s, 1s);
  series.record(0s, Nanos::max());
  series.record(0s, Nanos{-5});
  EXPECT_EQ(series.points()[0].completed, 2u);
  EXPECT_GT(*series.quantile(0, 1, 1.0), Nanos{100s});
  EXPECT_EQ(*series.quantile(0, 1, 0.0), Nanos{0});
}

TEST(TimeSeries, merge_equals_the_union_and_refuses_other_windows) {
  TimeSeries a(0s, 1s), b(0s, 1s), both(0s, 1s);
  for (int i = 0; i < 1'000; ++i) {
    const Nanos at{i * 1'000'000}, value{i * i};
    (i % 3 == 0 ? a : b).record(at, value);
    both.record(at, value);
  }
  ASSERT_TRUE(a.merge(b));
  for (size_t w = 0; w < 10; ++w) {
    EXPECT_EQ(a.points()[w].completed, both.points()[w].completed);
    EXPECT_EQ(a.points()[w].sum, both.points()[w].sum);
    EXPECT_EQ(a.points()[w].max, both.points()[w].max);
    EXPECT_EQ(a.quantile(w, w + 1, 0.9), both.quantile(w, w + 1, 0.9));
  }
  EXPECT_FALSE(a.merge(TimeSeries(0s, 2s)));
  EXPECT_FALSE(a.merge(TimeSeries(1s, 1s)));
}

/// A run of 5 s whose latency drifts linearly by `drift` from its first to its last value.
std::optional<Stationarity> drifting(double drift) {
  SplitMix64 random(7);
  TimeSeries series(0s, 5s);
  for (int64_t i = 0; i < 50'000; ++i) {
    const double level = 1e-3 * (1 + drift * static_cast<double>(i) / 50'000);
    series.record(Nanos{i * 100'000}, from_seconds(level * (0.5 + random.exponential())));
  }
  return stationarity(series);
}

TEST(Stationarity, is_a_budget_of_ten_percent) {
  EXPECT_TRUE(drifting(0)->stationary());
  EXPECT_NEAR(drifting(0)->drift, 0, 0.03);
  EXPECT_TRUE(drifting(0.1)->stationary());   // about 6 % between the parts
  EXPECT_FALSE(drifting(0.3)->stationary());  // about 17 %
  EXPECT_FALSE(drifting(-0.3)->stationary());
  EXPECT_NEAR(drifting(0.3)->drift, 1.24 / 1.06 - 1, 0.03);
}

TEST(Stationarity, tells_of_a_start_that_was_slower_than_the_rest) {
  TimeSeries series(0s, 5s);
  for (int64_t i = 0; i < 50'000; ++i) series.record(Nanos{i * 100'000}, i < 10'000 ? 3ms : 1ms);
  const auto seen = stationarity(series);
  EXPECT_NEAR(seen->start_excess, 2, 0.1);
  EXPECT_NEAR(drifting(0)->start_excess, 0, 0.03);
}

TEST(Stationarity, does_not_take_two_kinds_of_requests_for_a_drift) {
  TimeSeries series(0s, 5s);
  for (int64_t i = 0; i < 50'000; ++i) {
    const int64_t slow_of_100 = i < 25'000 ? 48 : 52;  // the median jumps from 1 ms to 40 ms
    series.record(Nanos{i * 100'000}, i * 37 % 100 < slow_of_100 ? 40ms : 1ms);
  }
  EXPECT_NEAR(stationarity(series)->drift, 0.08, 0.02);
}

TEST(Stationarity, is_nothing_where_median_and_mean_contradict_each_other) {
  TimeSeries series(0s, 5s);
  for (int64_t i = 0; i < 50'000; ++i) {
    const bool late = i >= 25'000;
    series.record(Nanos{i * 100'000}, i % 100 == 0 && !late ? 1s : late ? 2ms : 1ms);
  }
  EXPECT_EQ(stationarity(series)->drift, 0);
}

TEST(Stationarity, cannot_be_said_of_too_little) {
  EXPECT_FALSE(stationarity(TimeSeries(0s, 400ms)));
  EXPECT_FALSE(stationarity(TimeSeries(0s, 5s)));
}

}  // namespace
}  // namespace tickmark::stats
