// The generator's core against queueing theory (METHOD.md, T1): what it reports of a server whose response
// times are known, in made-up time, is what theory says, within the error of so many requests: 1 % at p50 and
// p90, 2 % at p99, 3 % at p99.9. (That each latency is exact to the nanosecond: lane_core_test.cpp.)
#include <cstdio>
#include <gtest/gtest.h>

#include "harness/base/random.h"
#include "harness/load/queueing_theory.h"
#include "harness/load/simulated_server.h"

namespace tickmark::load::theory_test {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;  // the same code runs in lane_core_test.cpp, for less than these millions
#else
constexpr bool kSanitized = false;
#endif

constexpr Nanos kStart = 1s;
constexpr double kMeanService = 1e-3;
constexpr double kLongest = 0.1;
constexpr double kStep = kMeanService / 100;

/// The busier, the longer what happened stays felt, and the more requests a percentile needs.
double requests_of(double rho) { return rho > 0.5 ? 5e6 : 1e6; }

Nanos nanos(double seconds) { return Nanos{static_cast<int64_t>(seconds * 1e9)}; }

/// Response times of a Poisson load of `rho`. So many connections that two requests of one hardly ever meet:
/// of several workers a later one may answer first.
template <typename Service>
LaneReport measure(double rho, int workers, Service service) {
  const double rate = rho * workers / kMeanService;
  LaneCore core({.connections = 2'000,
                 .discipline = Discipline::kPipelined,
                 .arrivals = Arrivals::kPoisson,
                 .rate_per_s = rate,
                 .request_timeout = 1000s,
                 .seed = 17});
  SimulatedServer server(workers);
  drive(core, server, kStart, nanos(requests_of(rho) / rate), service);
  return core.report();
}

void expect_theory(const char* name, const LaneReport& report, const theory::Tail& tail) {
  struct Bound {
    double q, error;
  };
  for (const Bound& bound : {Bound{0.5, 0.01}, Bound{0.9, 0.01}, Bound{0.99, 0.02}, Bound{0.999, 0.03}}) {
    const double expected = theory::quantile(tail, bound.q, kLongest);
    const double seen = static_cast<double>(report.response_time.quantile(bound.q)->count()) * 1e-9;
    std::printf("%-24s p%-5g expected %.4f ms, seen %.4f ms (%+.2f %%)\n", name, bound.q * 100,
                expected * 1e3, seen * 1e3, (seen / expected - 1) * 100);
    EXPECT_NEAR(seen / expected, 1, bound.error) << name << " at " << bound.q;
  }
}

TEST(Theory, exponential_service_of_one_server) {
  if (kSanitized) GTEST_SKIP() << "too many requests";
  for (const double rho : {0.3, 0.7}) {
    SplitMix64 random(1);
    expect_theory("M/M/1", measure(rho, 1, [&] { return nanos(random.exponential() * kMeanService); }),
                  theory::mmc(rho / kMeanService, kMeanService, 1));
  }
}

TEST(Theory, constant_service) {
  if (kSanitized) GTEST_SKIP() << "too many requests";
  for (const double rho : {0.3, 0.7}) {
    expect_theory("M/D/1", measure(rho, 1, [] { return nanos(kMeanService); }),
                  theory::mg1(rho / kMeanService, {{kMeanService, 1}}, kStep, kLongest));
  }
}

// Nine of ten are quick, one takes eleven times as long.
TEST(Theory, service_with_two_outcomes) {
  if (kSanitized) GTEST_SKIP() << "too many requests";
  constexpr theory::Service kQuick{0.5e-3, 0.9};
  constexpr theory::Service kSlow{5.5e-3, 0.1};
  for (const double rho : {0.3, 0.7}) {
    SplitMix64 random(2);
    const auto service = [&] {
      return nanos((random.uniform() < kSlow.probability ? kSlow : kQuick).seconds);
    };
    expect_theory("M/G/1, two outcomes", measure(rho, 1, service),
                  theory::mg1(rho / kMeanService, {kQuick, kSlow}, kStep, kLongest));
  }
}

TEST(Theory, exponential_service_of_four_servers) {
  if (kSanitized) GTEST_SKIP() << "too many requests";
  for (const double rho : {0.3, 0.7}) {
    SplitMix64 random(3);
    expect_theory("M/M/4", measure(rho, 4, [&] { return nanos(random.exponential() * kMeanService); }),
                  theory::mmc(4 * rho / kMeanService, kMeanService, 4));
  }
}

TEST(Theory, stop_of_the_world) {
  constexpr double kPause = 0.6;
  constexpr double kWindow = 6;
  for (const double rho : {0.1, 0.5}) {
    LaneCore core({.connections = 50,
                   .discipline = Discipline::kPipelined,
                   .arrivals = Arrivals::kConstant,
                   .rate_per_s = 10'000,
                   .request_timeout = 1000s,
                   .seed = 17});
    SimulatedServer server(1);
    server.stop(kStart + 2s, kStart + 2s + nanos(kPause));
    drive(core, server, kStart, nanos(kWindow), [&] { return nanos(rho / 10'000); });
    for (const double q : {0.95, 0.99, 0.999}) {
      const double expected = theory::paused(kPause, kWindow, rho, q);
      const double seen = static_cast<double>(core.report().response_time.quantile(q)->count()) * 1e-9;
      EXPECT_NEAR(seen / expected, 1, 0.01) << "rho " << rho << ", q " << q;
    }
  }
}

double mean_of(const theory::Tail& tail) {
  double mean = 0;
  for (double t = 0; t < kLongest; t += 1e-5) mean += tail(t) * 1e-5;
  return mean;
}

// The formulas against each other and against figures worked out by hand.
TEST(Theory, agrees_with_itself) {
  EXPECT_NEAR(theory::quantile(theory::mmc(700, 1e-3, 1), 0.5, 1), 0.6931472 / 300, 1e-7);
  // Two servers, offered half a server: Erlang's C is 1/10, and who waits, waits 1 / (2 mu - lambda).
  const auto two = theory::mmc(500, 1e-3, 2);
  EXPECT_NEAR(mean_of(two), 1e-3 + 0.1 / 1500, 1e-5);
  // M/D/1 without a wait: P(T <= D) = 1 - rho.
  const auto constant = theory::mg1(700, {{1e-3, 1}}, 1e-5, 0.1);
  EXPECT_NEAR(constant(1e-3 - 1e-9), 1, 1e-6);
  EXPECT_NEAR(constant(1e-3), 0.7, 0.005);
  // Mean wait of M/D/1: rho / (2 (1 - rho)) services.
  EXPECT_NEAR(mean_of(constant), 1e-3 + 1e-3 * 0.7 / 0.6, 1e-5);
}

}  // namespace
}  // namespace tickmark::load::theory_test
