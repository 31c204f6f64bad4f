#include "harness/stats/arrivals.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace tickmark::stats {
namespace {

ArrivalSchedule::Options options(ArrivalProcess process, double rate, uint32_t connections = 1,
                                 uint64_t seed = 1) {
  return {process, rate, connections, ConnectionChoice::kUniform, seed};
}

TEST(ArrivalSchedule, constant_arrivals_do_not_drift) {
  ArrivalSchedule schedule(options(ArrivalProcess::kConstant, 3.0));
  EXPECT_EQ(schedule.next().intended, Nanos{0});
  EXPECT_EQ(schedule.next().intended, Nanos{333'333'333});
  for (int i = 2; i < 3'000'000; ++i) schedule.next();
  const Arrival last = schedule.next();
  EXPECT_EQ(last.index, 3'000'000u);
  EXPECT_EQ(last.intended, Nanos{1'000'000s});
}

TEST(ArrivalSchedule, poisson_gaps_are_exponential_with_the_rate) {
  ArrivalSchedule schedule(options(ArrivalProcess::kPoisson, 50'000));
  const int n = 1'000'000;
  double previous = 0, squares = 0;
  int longer_than_mean = 0;
  for (int i = 0; i < n; ++i) {
    const double at = seconds(schedule.next().intended);
    ASSERT_GE(at, previous);
    const double gap = (at - previous) * 50'000;
    squares += gap * gap;
    longer_than_mean += gap > 1 ? 1 : 0;
    previous = at;
  }
  EXPECT_NEAR(previous * 50'000 / n, 1.0, 0.005);                                  // mean; 5 standard errors
  EXPECT_NEAR(squares / n, 2.0, 0.025);                                            // second moment
  EXPECT_NEAR(static_cast<double>(longer_than_mean) / n, std::exp(-1.0), 0.0025);  // shape
}

TEST(ArrivalSchedule, same_seed_same_schedule_other_seed_another) {
  ArrivalSchedule a(options(ArrivalProcess::kPoisson, 1000, 64, 5));
  ArrivalSchedule b(options(ArrivalProcess::kPoisson, 1000, 64, 5));
  ArrivalSchedule c(options(ArrivalProcess::kPoisson, 1000, 64, 6));
  int differing = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Arrival x = a.next(), y = b.next(), z = c.next();
    EXPECT_EQ(x.intended, y.intended);
    EXPECT_EQ(x.connection, y.connection);
    differing += x.intended != z.intended ? 1 : 0;
  }
  EXPECT_GT(differing, 990);
}

TEST(ArrivalSchedule, times_do_not_depend_on_the_connections) {
  ArrivalSchedule few(options(ArrivalProcess::kPoisson, 1000, 2));
  ArrivalSchedule many(options(ArrivalProcess::kPoisson, 1000, 5000));
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(few.next().intended, many.next().intended);
}

TEST(ArrivalSchedule, rate_only_scales_the_times) {
  ArrivalSchedule slow(options(ArrivalProcess::kPoisson, 1000));
  ArrivalSchedule fast(options(ArrivalProcess::kPoisson, 2000));
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_NEAR(static_cast<double>(slow.next().intended.count()),
                2.0 * static_cast<double>(fast.next().intended.count()), 2.0);
  }
}

TEST(ArrivalSchedule, uniform_choice_uses_all_connections_alike) {
  ArrivalSchedule schedule(options(ArrivalProcess::kPoisson, 1000, 50));
  std::vector<int> hits(50);
  for (int i = 0; i < 500'000; ++i) ++hits.at(schedule.next().connection);
  double chi_squared = 0;
  for (int h : hits) chi_squared += (h - 10'000.0) * (h - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 86.0);  // chi^2 with 49 degrees of freedom, 99.9th percentile
}

TEST(ArrivalSchedule, round_robin_takes_turns) {
  ArrivalSchedule schedule({ArrivalProcess::kConstant, 10, 3, ConnectionChoice::kRoundRobin, 1});
  for (uint32_t i = 0; i < 9; ++i) EXPECT_EQ(schedule.next().connection, i % 3);
}

}  // namespace
}  // namespace tickmark::stats
