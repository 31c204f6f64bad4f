// Change points on made-up series, of which the truth is known. All seeds are fixed: nothing here is left to
// chance.

#include "harness/stats/change_points.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "harness/base/random.h"
#include "harness/stats/signed_rank.h"

namespace tickmark::stats {
namespace {

using Noise = std::function<double(SplitMix64&)>;

double normal(SplitMix64& random) { return normal_quantile(std::max(random.uniform(), 1e-12)); }

/// 2 % of noise, as a quiet machine has it from run to run.
double usual(SplitMix64& random) { return 0.02 * normal(random); }
/// Noise that only ever adds, and a wild run now and then.
double skewed(SplitMix64& random) {
  return 0.02 * random.exponential() + (random.uniform() < 0.05 ? 0.5 * random.uniform() : 0);
}
/// Whole pages: hardly any values, many of them equal.
double grained(SplitMix64& random) { return 0.01 * std::floor(3 * random.uniform()); }

std::vector<double> series(size_t n, const Noise& noise, uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<double> values;
  for (size_t i = 0; i < n; ++i) values.push_back(noise(random));
  return values;
}

std::vector<double> with_step(std::vector<double> values, size_t at, double step) {
  for (size_t i = at; i < values.size(); ++i) values[i] += step;
  return values;
}

/// The most alarms in 1,000 that a rate of 1 % explains: P(more) = 0.0007 by the binomial distribution.
constexpr int kAlarmsMax = 22;

TEST(ChangePoints, series_without_a_change_alarm_no_more_often_than_promised) {
  const std::pair<const char*, Noise> machines[] = {
      {"usual", usual}, {"skewed", skewed}, {"grained", grained}};
  ChangeRules rules;
  rules.least = 0;  // the test alone, without the floor that hides small changes
  for (const auto& [name, noise] : machines) {
    int alarms = 0;
    for (uint64_t seed = 1; seed <= 1000; ++seed)
      alarms += change_points(series(10 + seed % 41, noise, seed), rules).empty() ? 0 : 1;
    EXPECT_LE(alarms, kAlarmsMax) << name;
    EXPECT_GT(alarms, 0) << name << ": a test that never alarms was not tested";
  }
}

TEST(ChangePoints, a_step_is_found_where_it_is) {
  int found = 0, exact = 0;
  constexpr int kSeries = 200;
  for (uint64_t seed = 1; seed <= kSeries; ++seed) {
    const auto points = change_points(with_step(series(40, usual, seed), 25, 0.06));
    if (points.empty()) continue;
    ++found;
    if (points.size() != 1 || points[0].at < 24 || points[0].at > 26) continue;
    ++exact;
    EXPECT_NEAR(points[0].after - points[0].before, 0.06, 0.03);
  }
  EXPECT_GE(found, kSeries * 99 / 100);
  EXPECT_GE(exact, kSeries * 90 / 100);
}

TEST(ChangePoints, a_step_without_noise_is_found_exactly_and_early) {
  for (const size_t at : {3U, 8U, 17U}) {
    const auto points = change_points(with_step(series(
                                                    20, [](SplitMix64&) { return 0; }, 1),
                                                at, 0.05));
    ASSERT_EQ(points.size(), 1u) << at;
    EXPECT_EQ(points[0].at, at);
    EXPECT_DOUBLE_EQ(points[0].before, 0);
    EXPECT_DOUBLE_EQ(points[0].after, 0.05);
    EXPECT_LE(points[0].p, 0.01);
  }
}

TEST(ChangePoints, two_steps_are_two_points) {
  int both = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const auto points = change_points(with_step(with_step(series(60, usual, seed), 20, 0.08), 40, 0.08));
    both += points.size() == 2 && std::abs(static_cast<int>(points[0].at) - 20) <= 1 &&
            std::abs(static_cast<int>(points[1].at) - 40) <= 1;
  }
  EXPECT_GE(both, 90);
}

TEST(ChangePoints, one_wild_run_is_no_change) {
  std::vector<double> values = series(30, usual, 4);
  values[12] = 3;
  EXPECT_TRUE(change_points(values).empty());
}

TEST(ChangePoints, what_is_smaller_than_the_floor_is_not_told) {
  const auto tiny = with_step(series(
                                  30, [](SplitMix64& r) { return 0.0001 * normal(r); }, 1),
                              15, 0.005);
  EXPECT_TRUE(change_points(tiny).empty());
  ChangeRules all;
  all.least = 0.001;
  EXPECT_EQ(change_points(tiny, all).size(), 1u);
}

TEST(ChangePoints, too_few_runs_say_nothing) {
  EXPECT_TRUE(change_points({}).empty());
  EXPECT_TRUE(change_points(std::vector<double>{0, 0, 0, 1, 1}).empty());
  EXPECT_TRUE(change_points(std::vector<double>{0, 0, 0, 1, 1, 1}).empty())
      << "2 of 20 orders look like that";
}

TEST(ChangePoints, the_same_series_gives_the_same_answer) {
  const auto values = with_step(series(40, skewed, 9), 20, 0.04);
  const auto a = change_points(values), b = change_points(values);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].p, b[i].p);
}

}  // namespace
}  // namespace tickmark::stats
