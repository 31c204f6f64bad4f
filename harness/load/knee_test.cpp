// The search for the knee, on servers whose knee is known.
#include "harness/load/knee.h"

#include <gtest/gtest.h>

#include "harness/base/random.h"
#include "harness/load/simulated_server.h"

namespace tickmark::load::knee_test {
namespace {

constexpr Objective kObjective{.q = 0.99, .limit = 10ms};

/// One server, exponential service of 1 ms, so many requests in made-up time. Of M/M/1 the 99th percentile is
/// ln(100) / (1000/s - rate): 10 ms at 539.5/s.
constexpr double kKnee = 1000 - 4.60517 / 0.010;

Probe probe_queue(double rate, uint64_t seed) {
  constexpr double kRequests = 200'000;
  const Nanos window{static_cast<int64_t>(kRequests / rate * 1e9)};
  LaneCore core({.connections = 500,
                 .discipline = Discipline::kPipelined,
                 .arrivals = Arrivals::kPoisson,
                 .rate_per_s = rate,
                 .request_timeout = 1000s,
                 .seed = seed});
  SimulatedServer server(1);
  SplitMix64 random(seed);
  drive(core, server, 1s, window, [&] { return Nanos{static_cast<int64_t>(random.exponential() * 1e6)}; });
  const Nanos value = *core.report().response_time.quantile(kObjective.q);
  return {rate, seed, value < kObjective.limit ? Outcome::kept : Outcome::broken, value, ""};
}

TEST(Knee, is_found_where_theory_has_it) {
  for (const double start : {10.0, 500.0, 20'000.0}) {
    const auto knee = find_knee({.start_per_s = start}, [](double rate, uint64_t seed) -> Expected<Probe> {
      return probe_queue(rate, seed);
    });
    ASSERT_TRUE(knee);
    EXPECT_EQ(knee->open_end, "");
    EXPECT_NEAR(knee->kept_per_s, kKnee, 0.08 * kKnee) << "from " << start;
    EXPECT_NEAR(knee->broken_per_s, kKnee, 0.08 * kKnee) << "from " << start;
    EXPECT_LT(knee->kept_per_s, knee->broken_per_s);
    EXPECT_LE(knee->broken_per_s, knee->kept_per_s * 1.11);
  }
}

// A server that obeys a step: kept below the limit, broken above, and what `run` makes of it.
Probe step(double limit, double rate, uint64_t seed) {
  return {rate, seed, rate < limit ? Outcome::kept : Outcome::broken, 1ms, ""};
}

TEST(Knee, one_load_in_eight_that_goes_wrong_does_not_move_it) {
  const auto knee =
      find_knee({.start_per_s = 100, .seed = 4}, [](double rate, uint64_t seed) -> Expected<Probe> {
        Probe probe = step(5000, rate, seed);
        if (SplitMix64(seed).below(8) == 0) probe.outcome = Outcome::broken;
        return probe;
      });
  ASSERT_TRUE(knee);
  // What a wrong load says early is found out when the end is confirmed.
  EXPECT_LE(knee->kept_per_s, 5000);
  EXPECT_GT(knee->kept_per_s, 4000);
}

TEST(Knee, ends_where_loads_cannot_be_believed_and_says_so) {
  const auto knee = find_knee({.start_per_s = 1000}, [](double rate, uint64_t seed) -> Expected<Probe> {
    if (rate > 10'000) return Probe{rate, seed, Outcome::void_, Nanos{0}, "the client was at its limit"};
    return step(1e9, rate, seed);
  });
  ASSERT_TRUE(knee);
  EXPECT_EQ(knee->kept_per_s, 8000);
  EXPECT_EQ(knee->broken_per_s, 0);
  EXPECT_EQ(knee->open_end, "a load of 16000/s cannot be believed: the client was at its limit");
  EXPECT_EQ(knee->probes.size(), 6u);  // 1, 2, 4, 8 and twice 16 thousand
}

TEST(Knee, that_lies_outside_the_rates_is_open) {
  const auto above = find_knee({.highest_per_s = 3000}, [](double rate, uint64_t seed) -> Expected<Probe> {
    return step(1e9, rate, seed);
  });
  EXPECT_EQ(above->kept_per_s, 3000);
  EXPECT_FALSE(above->open_end.empty());
  const auto below = find_knee({.lowest_per_s = 10}, [](double rate, uint64_t seed) -> Expected<Probe> {
    return step(0.5, rate, seed);
  });
  EXPECT_EQ(below->kept_per_s, 0);
  EXPECT_EQ(below->broken_per_s, 10);
  EXPECT_FALSE(below->open_end.empty());
}

TEST(Knee, an_error_of_a_load_ends_the_search) {
  const auto knee =
      find_knee({}, [](double, uint64_t) -> Expected<Probe> { return environment_error("no descriptors"); });
  ASSERT_FALSE(knee);
  EXPECT_EQ(knee.error().message, "no descriptors");
}

}  // namespace
}  // namespace tickmark::load::knee_test
