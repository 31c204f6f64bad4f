// The scheduling and recording core in made-up time: no socket, no clock, no noise. Every latency must equal
// the Lindley recursion W[n+1] = max(0, W[n] + S[n] - (a[n+1] - a[n])) to the nanosecond (METHOD.md, T1).
#include "harness/load/lane_core.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <queue>
#include <vector>

#include "harness/base/random.h"

namespace tickmark::load {
namespace {

constexpr Nanos kStart = 1s;

LaneCore::Setup setup_of(Discipline discipline, Arrivals arrivals, int connections, double rate) {
  return {.connections = connections,
          .discipline = discipline,
          .arrivals = arrivals,
          .rate_per_s = rate,
          .request_timeout = 1000s,
          .seed = 11};
}

/// What the schedule asks for, replayed beside the core.
std::vector<stats::Arrival> arrivals_of(const LaneCore::Setup& setup, Nanos window) {
  stats::ArrivalSchedule schedule({.process = setup.arrivals == Arrivals::kPoisson
                                                  ? stats::ArrivalProcess::kPoisson
                                                  : stats::ArrivalProcess::kConstant,
                                   .rate_per_s = setup.rate_per_s,
                                   .connections = static_cast<uint32_t>(setup.connections),
                                   .choice = stats::ConnectionChoice::kUniform,
                                   .seed = setup.seed});
  std::vector<stats::Arrival> out;
  for (stats::Arrival a = schedule.next(); a.intended < window; a = schedule.next()) out.push_back(a);
  return out;
}

/// Drives `core` through its window: each connection is a server of its own that takes `service()` per
/// request; requests are sent the moment the core allows it.
template <typename Service>
void drive(LaneCore& core, Nanos window, Service service) {
  struct Done {
    Nanos at;
    uint32_t connection;
    bool operator>(const Done& o) const { return at > o.at; }
  };
  std::priority_queue<Done, std::vector<Done>, std::greater<>> done;
  auto pump = [&](uint32_t c, Nanos at) {
    if (!core.may_send(c)) return;
    core.sent(c, at);
    done.push({at + service(core.last_sent(c).number), c});
  };
  core.start_window(kStart, kStart + window);
  bool ended = false;
  while (core.next_due() != Nanos::max() || !done.empty()) {
    Nanos reply = done.empty() ? Nanos::max() : done.top().at;
    if (!ended && std::min(core.next_due(), reply) >= kStart + window) {
      core.end_window(kStart + window);
      ended = true;
    }
    if (core.next_due() < reply) {
      Nanos at = core.next_due();
      pump(core.arrive(), at);
      continue;
    }
    Done d = done.top();
    done.pop();
    core.completed(d.connection, d.at);
    pump(d.connection, d.at);
  }
  if (!ended) core.end_window(kStart + window);
  core.end_drain(kStart + window + 1000s);
}

void expect_same(const stats::Histogram& got, const stats::Histogram& truth) {
  EXPECT_EQ(got.count(), truth.count());
  EXPECT_TRUE(std::ranges::equal(got.counts(), truth.counts()));
  EXPECT_EQ(got.min(), truth.min());
  EXPECT_EQ(got.max(), truth.max());
  EXPECT_EQ(got.sum_seconds(), truth.sum_seconds());  // exact sums: equal only if every latency is
}

uint64_t slower_than(const stats::Histogram& h, Nanos limit) {
  uint64_t sum = 0;
  for (size_t i = 0; i < h.counts().size(); ++i) {
    if (h.layout().lowest_at(i) > static_cast<uint64_t>(limit.count())) sum += h.counts()[i];
  }
  return sum;
}

TEST(LaneCore, WaitingInLineIsTheLindleyRecursionOfEachConnection) {
  auto setup = setup_of(Discipline::kOneAtATime, Arrivals::kPoisson, 5, 3500);  // rho 0.7 per connection
  constexpr Nanos kWindow = 60s;
  auto service = [](uint64_t number) {
    return Nanos{static_cast<int64_t>(SplitMix64(number).exponential() * 1e6)};
  };
  LaneCore core(setup);
  drive(core, kWindow, service);
  LaneReport report = core.report();

  stats::Histogram response, services, waits;
  std::vector<Nanos> free_at(5);
  uint64_t number = 0;
  for (const stats::Arrival& a : arrivals_of(setup, kWindow)) {
    Nanos begins = std::max(a.intended, free_at[a.connection]);
    Nanos s = service(number++);
    free_at[a.connection] = begins + s;
    response.record(begins + s - a.intended);
    services.record(s);
    waits.record(begins - a.intended);
  }
  EXPECT_GT(number, 200'000u);
  EXPECT_EQ(report.counts.scheduled, number);
  EXPECT_EQ(report.counts.completed, number);
  expect_same(report.response_time, response);
  expect_same(report.service_time, services);
  expect_same(report.connection_wait, waits);
  EXPECT_EQ(core.lateness().max(), Nanos{0});
  // M/M/1: L(q) = -ln(1-q) / (mu (1 - rho)).
  EXPECT_NEAR(static_cast<double>(report.response_time.quantile(0.5)->count()), 0.6931 / 0.3 * 1e6, 0.05e6);
  EXPECT_NEAR(static_cast<double>(report.response_time.quantile(0.99)->count()), 4.605 / 0.3 * 1e6, 1.0e6);
}

TEST(LaneCore, APauseShowsInTheOpenLoopAndHidesInTheClosedOne) {
  // A server that takes 100 us and stops for 0.6 s of 6 s, asked 1,000 times a second over 50 connections.
  constexpr Nanos kWindow = 6s, kService = 100us, kPauseBegin = 3s, kPauseEnd = 3600ms;
  auto setup = setup_of(Discipline::kPipelined, Arrivals::kConstant, 50, 1000);
  LaneCore core(setup);
  core.start_window(kStart, kStart + kWindow);
  std::vector<std::pair<Nanos, uint32_t>> replies;  // one queue: the server answers in order of arrival
  Nanos free_at = kStart;
  while (core.next_due() != Nanos::max()) {
    Nanos at = core.next_due();
    uint32_t c = core.arrive();
    core.sent(c, at);
    Nanos begins = std::max(at, free_at);
    if (begins >= kStart + kPauseBegin && begins < kStart + kPauseEnd) begins = kStart + kPauseEnd;
    free_at = begins + kService;
    replies.emplace_back(free_at, c);
  }
  for (auto [at, c] : replies) core.completed(c, at);
  core.end_window(kStart + kWindow);
  core.end_drain(kStart + kWindow);
  LaneReport open = core.report();
  // P - (1 - rho) T (1 - q) with rho = 0.1 (METHOD.md, T1).
  EXPECT_NEAR(seconds(*open.response_time.quantile(0.95)), 0.6 - 0.9 * 6 * 0.05, 0.005);
  EXPECT_NEAR(seconds(*open.response_time.quantile(0.99)), 0.6 - 0.9 * 6 * 0.01, 0.005);
  // All that fell due in the pause, and those behind the queue it left (0.6 s / 0.9 in all), waited.
  EXPECT_EQ(open.counts.completed, 6000u);
  EXPECT_NEAR(static_cast<double>(slower_than(open.response_time, 10ms)), 660, 10);

  // The same server in a closed loop: each connection is caught once, and asks nothing while it waits.
  setup.arrivals = Arrivals::kClosed;
  LaneCore closed_core(setup);
  closed_core.start_window(kStart, kStart + kWindow);
  auto ask = [&closed_core](uint32_t c, Nanos at) {
    closed_core.arrive_at(c, at);
    closed_core.sent(c, at);
  };
  for (uint32_t c = 0; c < 50; ++c) ask(c, kStart);
  Nanos at = kStart;
  for (uint32_t c = 0; at < kStart + kWindow; c = (c + 1) % 50) {
    if (at >= kStart + kPauseBegin && at < kStart + kPauseEnd) at = kStart + kPauseEnd;
    at += kService;
    closed_core.completed(c, at);
    ask(c, at);
  }
  closed_core.end_window(kStart + kWindow);
  closed_core.end_drain(at);
  LaneReport closed = closed_core.report();
  EXPECT_EQ(slower_than(closed.response_time, 10ms), 50u);
  EXPECT_EQ(*closed.response_time.quantile(0.99), *closed.response_time.quantile(0.5));  // the lie
}

TEST(LaneCore, CountsEveryEndExactlyOnce) {
  auto setup = setup_of(Discipline::kPipelined, Arrivals::kConstant, 1, 10);
  setup.request_timeout = 250ms;
  LaneCore core(setup);
  core.start_window(kStart, kStart + 1s);  // due at 0, 100, ... 900 ms
  auto at = [](int ms) { return kStart + Nanos{ms * 1'000'000LL}; };
  auto send_next = [&] {
    Nanos due = core.next_due();
    core.sent(core.arrive(), due);
  };
  send_next();  // 0: answered
  core.completed(0, at(50));
  send_next();  // 100: wrong
  core.wrong(0, at(150));
  send_next();  // 200: lost
  EXPECT_EQ(core.lost(0, at(250)), 1);
  core.arrive();  // 300: never sent, times out
  EXPECT_EQ(core.next_timeout(), at(550));
  core.arrive();  // 400
  core.arrive();  // 500
  uint32_t connection = 9;
  EXPECT_FALSE(core.expire_oldest(at(550), connection));
  EXPECT_EQ(connection, 0u);
  core.sent(0, at(560));  // 400: sent, times out, answered too late
  EXPECT_TRUE(core.expire_oldest(at(650), connection));
  core.sent(0, at(660));  // 500: in flight at the end
  EXPECT_TRUE(core.awaited(0).given_up);
  core.completed(0, at(700));                 // the late reply of 400
  for (int i = 0; i < 4; ++i) core.arrive();  // 600 .. 900: never sent
  EXPECT_EQ(core.next_due(), Nanos::max());
  core.end_window(at(1000));
  core.end_drain(at(1000));

  LaneReport report = core.report();
  EXPECT_EQ(report.counts.scheduled, 10u);
  EXPECT_EQ(report.counts.completed, 1u);
  EXPECT_EQ(report.counts.errors, 2u);
  EXPECT_EQ(report.counts.timeouts, 2u);
  EXPECT_EQ(report.counts.in_flight, 1u);
  EXPECT_EQ(report.counts.unsent, 4u);
  EXPECT_EQ(report.wrong_replies, 1u);
  EXPECT_EQ(report.response_time.max(), Nanos{50ms});
  EXPECT_EQ(report.censored.count(), 7u);
  EXPECT_EQ(report.censored.min(), Nanos{100ms});
  EXPECT_EQ(report.censored.max(), Nanos{500ms});
  EXPECT_EQ(report.oldest_unanswered, Nanos{500ms});
  EXPECT_EQ(core.sends_late(), 2u);  // 400 and 500 were sent late though their connection was free
  EXPECT_EQ(core.lateness().max(), Nanos{160ms});
}

TEST(LaneCore, SplitsTheWaitBeforeASendBetweenConnectionAndGenerator) {
  auto setup = setup_of(Discipline::kOneAtATime, Arrivals::kConstant, 1, 1000);
  LaneCore core(setup);
  core.start_window(kStart, kStart + 2ms);
  core.arrive();  // due at 0
  core.sent(0, kStart + 30us);
  core.arrive();  // due at 1 ms, waits for the reply at 5 ms
  EXPECT_FALSE(core.may_send(0));
  core.completed(0, kStart + 5ms);
  EXPECT_TRUE(core.may_send(0));
  core.sent(0, kStart + 5ms + 7us);
  core.completed(0, kStart + 6ms);
  core.end_window(kStart + 2ms);
  core.end_drain(kStart + 7ms);
  LaneReport report = core.report();
  EXPECT_EQ(report.connection_wait.max(), Nanos{4ms});
  EXPECT_EQ(core.lateness().min(), Nanos{7us});
  EXPECT_EQ(core.lateness().max(), Nanos{30us});
  EXPECT_EQ(report.response_time.max(), Nanos{5ms});
  EXPECT_EQ(report.service_time.min(), Nanos{993us});
}

TEST(RequestBook, GrowsWhenMoreAreOpenThanForeseen) {
  RequestBook book(3, 2);
  for (uint64_t n = 0; n < 1000; ++n) book.add(n % 3, n, Nanos{static_cast<int64_t>(n)}, true);
  EXPECT_EQ(book.open(), 1000u);
  for (uint64_t n = 0; n < 1000; ++n) {
    EXPECT_EQ(book[book.oldest()].number, n);
    uint32_t c = n % 3;
    EXPECT_EQ(book[book.waiting(c).front].number, n);
    book.end_waiting(c);
  }
  EXPECT_EQ(book.oldest(), kNoRequest);
  EXPECT_EQ(book.open(), 0u);
}

}  // namespace
}  // namespace tickmark::load
