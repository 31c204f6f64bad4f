#include "harness/stats/little.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <vector>

#include "harness/base/random.h"

namespace tickmark::stats {
namespace {

constexpr Window kWindow{1s, 11s};
constexpr Nanos kWatchedUntil = 12s;

struct Event {
  Nanos at;
  int change;
};

struct Request {
  Nanos begin;
  Nanos end;
};

/// 20,000 requests over 0..12 s, mean 5 ms, some of them in flight at each edge of the window and at the end.
std::vector<Request> requests() {
  SplitMix64 random(11);
  std::vector<Request> all;
  for (int i = 0; i < 20'000; ++i) {
    const Nanos begin = from_seconds(12 * random.uniform());
    const double latency = random.uniform() < 0.001 ? 3.0 : 0.005 * random.exponential();
    all.push_back({begin, begin + from_seconds(latency)});
  }
  return all;
}

/// Keeps both books; the event with number `lost` of all is kept from the integrator.
LittleCheck check(const std::vector<Request>& all, std::optional<size_t> lost = std::nullopt) {
  LatencyLedger ledger(kWindow);
  std::vector<Event> events;
  for (const Request& r : all) {
    events.push_back({r.begin, +1});
    if (r.end <= kWatchedUntil) {
      events.push_back({r.end, -1});
      ledger.ended(r.begin, r.end);
    } else {
      ledger.unfinished(r.begin, kWatchedUntil);
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  InFlightIntegrator integrator(kWindow);
  for (size_t i = 0; i < events.size(); ++i) {
    if (lost != i) integrator.add(events[i].at, events[i].change);
  }
  return check_little(integrator, ledger);
}

TEST(InFlightIntegrator, averages_over_the_window_only) {
  InFlightIntegrator integrator(kWindow);
  integrator.add(0s, 2);            // 2 in flight on entering the window
  integrator.add(Nanos{6s}, -1);    // 1 from its middle on
  integrator.add(Nanos{20s}, 100);  // after the window: nothing
  EXPECT_DOUBLE_EQ(integrator.average(), 1.5);
  EXPECT_DOUBLE_EQ(integrator.average(), 1.5);
  EXPECT_EQ(integrator.in_flight(), 101);
}

TEST(InFlightIntegrator, counts_the_stretch_after_the_last_event) {
  InFlightIntegrator integrator(kWindow);
  integrator.add(Nanos{6s}, 3);
  EXPECT_DOUBLE_EQ(integrator.average(), 1.5);
}

TEST(LatencyLedger, counts_only_the_overlap) {
  LatencyLedger ledger(kWindow);
  ledger.ended(0s, Nanos{2s});                // 1 s inside
  ledger.ended(Nanos{3s}, Nanos{4s});         // 1 s
  ledger.unfinished(Nanos{10s}, Nanos{12s});  // 1 s
  ledger.ended(0s, Nanos{500ms});             // before
  ledger.ended(Nanos{11500ms}, Nanos{12s});   // after
  EXPECT_DOUBLE_EQ(ledger.average(), 0.3);
}

TEST(Little, both_books_agree_to_the_nanosecond) {
  const LittleCheck result = check(requests());
  EXPECT_GT(result.ledger_average, 5);
  EXPECT_EQ(result.relative_error, 0);
  EXPECT_TRUE(result.holds());
}

TEST(Little, nothing_in_flight_is_no_violation) { EXPECT_TRUE(check({}).holds()); }

TEST(Little, a_lost_completion_is_found) {
  const std::vector<Request> all = requests();
  // An early completion: the phantom request stays in flight to the end and moves the average.
  size_t completion = 0;
  std::vector<Event> events;
  for (const Request& r : all) {
    events.push_back({r.begin, +1});
    if (r.end <= kWatchedUntil) events.push_back({r.end, -1});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  for (size_t i = 0; i < events.size() / 2; ++i) {
    if (events[i].change < 0) completion = i;
  }
  const LittleCheck early = check(all, completion);
  EXPECT_GT(early.relative_error, LittleCheck::kTolerance);
  EXPECT_FALSE(early.holds());
  // The last completion hardly has an area, yet the counts of the unfinished differ.
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].change < 0) completion = i;
  }
  const LittleCheck late = check(all, completion);
  EXPECT_LE(late.relative_error, LittleCheck::kTolerance);
  EXPECT_FALSE(late.counts_agree);
  EXPECT_FALSE(late.holds());
}

TEST(Little, a_lost_beginning_is_found) {
  const LittleCheck result = check({{2s, 3s}}, 0);
  EXPECT_LT(result.integrated_average, 0);
  EXPECT_FALSE(result.holds());
}

TEST(Little, wrong_latency_stamps_are_found) {
  // Coordinated omission in the ledger: it believes every request began 1 % of its life later.
  InFlightIntegrator integrator(kWindow);
  LatencyLedger ledger(kWindow);
  for (int i = 0; i < 1'000; ++i) {
    const Nanos begin = 1s + i * 9ms;
    integrator.add(begin, +1);
    integrator.add(begin + 5ms, -1);
    ledger.ended(begin + 50us, begin + 5ms);
  }
  const LittleCheck result = check_little(integrator, ledger);
  EXPECT_NEAR(result.relative_error, 0.01, 1e-6);
  EXPECT_FALSE(result.holds());
}

}  // namespace
}  // namespace tickmark::stats
