// What makes the generator a ruler, in made-up time: latency counts from the time at which a request falls
// due, what falls due is asked however late, and a percentile is of the values. Built once more with each of
// the edits of harness/stats/ruler_mutant.h, where the test of the same name must fail.
#include <gtest/gtest.h>

#include "harness/load/lane_core.h"
#include "harness/stats/series.h"

namespace tickmark::load::ruler_test {
namespace {

constexpr Nanos kStart = 1s;

/// One connection, a request due every 10 ms for 1 s, each answered 1 ms after it was sent, but the
/// twenty-first after 400 ms.
LaneReport one_pause() {
  LaneCore core({.connections = 1,
                 .discipline = Discipline::kOneAtATime,
                 .arrivals = Arrivals::kConstant,
                 .rate_per_s = 100,
                 .request_timeout = 1000s,
                 .seed = 1});
  Nanos answered_at{0};
  const auto send = [&](Nanos at) {
    core.sent(0, at);
    answered_at = at + (core.last_sent(0).number == 20 ? 400ms : 1ms);
  };
  const auto answer_until = [&](Nanos until) {
    while (core.awaits_reply(0) && answered_at <= until) {
      core.completed(0, answered_at);
      if (core.may_send(0)) send(answered_at);
    }
  };
  core.start_window(kStart, kStart + 1s);
  for (Nanos due = core.next_due(); due != Nanos::max(); due = core.next_due()) {
    answer_until(due);
    core.arrive();
    if (core.may_send(0)) send(due);
  }
  core.end_window(kStart + 1s);
  answer_until(kStart + 10s);
  core.end_drain(kStart + 10s);
  return core.report();
}

TEST(Ruler, stamps_at_the_send) {
  const LaneReport report = one_pause();
  // Forty fell due in the pause and waited for what was left of it, 400 ms to 10 ms; the queue they left is
  // worked off at nine a request's time: P - (1 - rho) T (1 - q) = 0.4 - 0.9 * 1 * 0.1.
  EXPECT_NEAR(seconds(*report.response_time.quantile(0.9)), 0.31, 0.01);
  EXPECT_NEAR(seconds(*report.service_time.quantile(0.9)), 0.001, 0.0001);
}

TEST(Ruler, drops_late_arrivals) {
  const LaneReport report = one_pause();
  EXPECT_EQ(report.counts.scheduled, 100u);
  EXPECT_EQ(report.counts.completed, 100u);
}

TEST(Ruler, averages_percentiles) {
  stats::TimeSeries series(Nanos{0}, 2s, 1s);
  for (int i = 0; i < 900; ++i) series.record(Nanos{0}, 1ms);
  for (int i = 0; i < 100; ++i) series.record(1s, 100ms);
  // Of all the values one in ten is slow: p50 is 1 ms. The mean of the windows' medians is 50.5 ms.
  EXPECT_NEAR(seconds(*series.quantile(0, 2, 0.5)), 0.001, 0.0001);
}

}  // namespace
}  // namespace tickmark::load::ruler_test
