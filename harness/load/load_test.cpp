// The whole generator against servers whose behaviour is known. Times only where a fault of seconds would
// show; counts and verification exactly.
#include "harness/load/load.h"

#include <atomic>
#include <chrono>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include "harness/load/test_clients.h"
#include "harness/load/truth_server.h"

namespace tickmark::load {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

TruthServer::Reply echo(int, std::string_view bytes) { return {.bytes = std::string(bytes)}; }
TruthServer::Reply ok(int, std::string_view) { return {.bytes = kOk}; }

LoadConfig config_for(const TruthServer& server, const Client& client, Arrivals arrivals, int connections,
                      double rate = 0) {
  LoadConfig config;
  config.port = server.port();
  config.lanes = {{.client = &client, .connections = connections, .arrivals = arrivals, .rate_per_s = rate}};
  config.duration = 200ms;
  config.seed = 7;
  return config;
}

/// Runs, and checks what must hold for every load whatever the server does.
LoadReport run(const LoadConfig& config, const LoadHooks& hooks = {}) {
  Expected<LoadReport> report = run_load(config, hooks);
  EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().message);
  if (!report) return LoadReport();
  for (const LaneReport& lane : report->lanes) {
    const Counts& c = lane.counts;
    EXPECT_EQ(c.scheduled, c.completed + c.errors + c.timeouts + c.in_flight + c.unsent);
    EXPECT_EQ(lane.response_time.count(), c.completed);
    EXPECT_EQ(lane.service_time.count(), c.completed);
    EXPECT_EQ(lane.censored.count(), c.timeouts + c.in_flight + c.unsent);
    EXPECT_LE(lane.little_error, 0.001);
    uint64_t in_series = 0;
    for (const SeriesPoint& p : lane.series) in_series += p.completed;
    EXPECT_EQ(in_series, c.completed);
  }
  return std::move(*report);
}

TEST(Load, ClosedLoopHttpCompletesWhatItSends) {
  TruthServer server(ok);
  Client client = http_client();
  LoadReport report = run(config_for(server, client, Arrivals::kClosed, 4));
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(report.failure, "");
  EXPECT_GT(lane.counts.completed, 0u);
  EXPECT_EQ(lane.counts.scheduled, lane.counts.completed);
  EXPECT_EQ(lane.connections_established, 4);
  EXPECT_EQ(lane.connections_never_served, 0u);
  EXPECT_DOUBLE_EQ(lane.header_bytes_per_reply, static_cast<double>(kOk.size() - 6));
  EXPECT_EQ(lane.bytes_received % kOk.size(), 0u);
}

TEST(Load, OpenLoopStreamSendsTheScheduleAndVerifiesIt) {
  TruthServer server(echo);
  Client client = echo_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 10, 2000);
  LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.scheduled, 400u);
  EXPECT_EQ(lane.counts.completed, 400u);
  EXPECT_EQ(lane.wrong_replies, 0u);
  EXPECT_EQ(lane.bytes_sent, (400u + 10u) * 64);
  EXPECT_EQ(lane.bytes_received, lane.bytes_sent);
  EXPECT_EQ(report.client.lateness.count(), 400u);
}

TEST(Load, RepliesByteByByteAndInOneHeapAreTheSame) {
  TruthServer trickling(
      [](int, std::string_view) { return TruthServer::Reply{.bytes = kOk, .trickle = true}; });
  Client http = http_client();
  LoadReport report = run(config_for(trickling, http, Arrivals::kClosed, 2));
  EXPECT_GT(report.lanes.at(0).counts.completed, 0u);
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 0u);

  // An echo that waits for four messages before it returns all of them: replies come in heaps.
  std::map<int, std::string> held;
  bool first = true;
  TruthServer heaping([&](int connection, std::string_view bytes) {
    std::string& mine = held[connection];
    mine += bytes;
    if (mine.size() == 64 && first) {
      first = false;  // the ready round trip
      return TruthServer::Reply{.bytes = std::exchange(mine, "")};
    }
    size_t heap = mine.size() / (4 * 64) * (4 * 64);
    std::string reply = mine.substr(0, heap);
    mine.erase(0, heap);
    return TruthServer::Reply{.bytes = std::move(reply)};
  });
  Client echoes = echo_client();
  LoadConfig config = config_for(heaping, echoes, Arrivals::kConstant, 1, 2000);
  config.drain = 100ms;
  report = run(config);
  EXPECT_EQ(report.lanes.at(0).counts.completed, 400u);
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 0u);
}

TEST(Load, MessagesLargerThanTheSocketBuffersPassInPieces) {
  TruthServer server(echo);
  Client client = echo_client(300'000);
  LoadReport report = run(config_for(server, client, Arrivals::kClosed, 2));
  EXPECT_GT(report.lanes.at(0).counts.completed, 0u);
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 0u);
}

TEST(Load, AMegabyteBodyIsVerifiedToItsLastByte) {
  std::string body(1 << 20, 'x');
  for (bool wrong : {false, true}) {
    std::atomic<int> replies = 0;
    TruthServer server([&](int, std::string_view) {
      std::string reply = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size()) + body;
      if (wrong && ++replies == 3) reply.back() = 'y';
      return TruthServer::Reply{.bytes = reply};
    });
    Client client = http_client(body);
    LoadReport report = run(config_for(server, client, Arrivals::kClosed, 1));
    EXPECT_EQ(report.lanes.at(0).wrong_replies, wrong ? 1u : 0u);
    if (wrong) {
      EXPECT_NE(report.lanes[0].wrong_reply.find("byte 1048575"), std::string::npos)
          << report.lanes[0].wrong_reply;
      EXPECT_NE(report.lanes[0].wrong_reply.find("GET / HTTP/1.1"), std::string::npos)
          << report.lanes[0].wrong_reply;
    }
  }
}

TEST(Load, AWrongByteOfAnEchoIsAnErrorAndIsDescribed) {
  std::atomic<int> messages = 0;
  TruthServer server([&](int, std::string_view bytes) {
    std::string reply(bytes);
    if (++messages == 5) reply[40] ^= 1;
    return TruthServer::Reply{.bytes = reply};
  });
  Client client = echo_client();
  LoadReport report = run(config_for(server, client, Arrivals::kClosed, 1));
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 1u);
  EXPECT_EQ(report.lanes.at(0).counts.errors, 1u);
  EXPECT_NE(report.lanes[0].wrong_reply.find("message 4"), std::string::npos) << report.lanes[0].wrong_reply;
  EXPECT_NE(report.lanes[0].wrong_reply.find("byte 40"), std::string::npos) << report.lanes[0].wrong_reply;
}

TEST(Load, BytesThatNothingAskedForDisqualify) {
  std::atomic<int> replies = 0;
  TruthServer server(
      [&](int, std::string_view) { return TruthServer::Reply{.bytes = ++replies == 3 ? kOk + "X" : kOk}; });
  Client client = http_client();
  LoadReport report = run(config_for(server, client, Arrivals::kClosed, 1));
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 1u);
  EXPECT_NE(report.lanes[0].wrong_reply.find("nothing had asked"), std::string::npos);
}

TEST(Load, ALostConnectionIsAnErrorAndIsMadeAnew) {
  std::atomic<int> replies = 0;
  TruthServer server([&](int, std::string_view) {
    bool lose = ++replies % 10 == 0;
    return lose ? TruthServer::Reply{.bytes = kOk.substr(0, 20), .close = true}
                : TruthServer::Reply{.bytes = kOk};
  });
  Client client = http_client();
  LoadReport report = run(config_for(server, client, Arrivals::kConstant, 4, 500));
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.scheduled, 100u);
  EXPECT_GE(lane.counts.errors, 9u);
  EXPECT_EQ(lane.counts.errors, lane.connections_lost);
  EXPECT_GE(lane.reconnects, 9u);
  EXPECT_EQ(lane.counts.completed + lane.counts.errors, 100u);
  EXPECT_EQ(lane.wrong_replies, 0u);
}

TEST(Load, AServerThatFallsSilentMakesTimeoutsAndClosesHttpConnections) {
  std::atomic<int> requests = 0;
  TruthServer server([&](int, std::string_view) {
    return ++requests > 2 ? TruthServer::Reply{} : TruthServer::Reply{.bytes = kOk};
  });
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 2, 100);
  config.request_timeout = 50ms;
  config.drain = 5s;
  LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.scheduled, 20u);
  EXPECT_EQ(lane.counts.timeouts, 20u);
  EXPECT_EQ(lane.censored.min(), Nanos{50ms});
  EXPECT_GT(lane.reconnects, 0u);
  EXPECT_EQ(lane.connections_lost, 0u);
}

TEST(Load, AStreamGivenUpStillMatchesTheLateReply) {
  std::atomic<int> messages = 0;
  TruthServer server([&](int, std::string_view bytes) {
    if (++messages == 3) std::this_thread::sleep_for(300ms);
    return TruthServer::Reply{.bytes = std::string(bytes)};
  });
  Client client = echo_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 1, 100);
  config.request_timeout = 100ms;
  LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.scheduled, 20u);
  EXPECT_GT(lane.counts.timeouts, 0u);
  EXPECT_EQ(lane.wrong_replies, 0u);
  EXPECT_EQ(lane.connections_lost, 0u);
}

TEST(Load, WhatIsUnansweredAtTheEndIsInFlightOrUnsentAndCensored) {
  std::atomic<int> requests = 0;
  TruthServer server([&](int, std::string_view) {
    return ++requests > 1 ? TruthServer::Reply{} : TruthServer::Reply{.bytes = kOk};
  });
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 1, 100);
  config.drain = 50ms;
  LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.in_flight, 1u);
  EXPECT_EQ(lane.counts.unsent, 19u);
  EXPECT_GE(*lane.censored.max(), Nanos{240ms});
  EXPECT_GE(lane.oldest_unanswered, Nanos{190ms});
}

TEST(Load, AFreezeShowsInTheResponseTimesOfAllThatFellDueMeanwhile) {
  std::atomic<int> messages = 0;
  TruthServer server([&](int, std::string_view) {
    if (++messages == 60) std::this_thread::sleep_for(300ms);
    return TruthServer::Reply{.bytes = kOk};
  });
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 10, 500);
  config.duration = 1s;
  LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.completed, 500u);
  EXPECT_GE(*lane.response_time.max(), Nanos{290ms});
  // About rate x freeze requests fell due; a closed loop would have seen ten, one per connection.
  EXPECT_GE(*lane.response_time.quantile(0.80), Nanos{20ms});
  EXPECT_GE(*lane.connection_wait.max(), Nanos{200ms});  // the subject's, not the generator's
}

TEST(Load, AFrozenServerCatchesEachConnectionOfAClosedLoopOnce) {
  std::atomic<int> messages = 0;
  TruthServer server([&](int, std::string_view) {
    if (++messages == 200) std::this_thread::sleep_for(300ms);
    return TruthServer::Reply{.bytes = kOk};
  });
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kClosed, 4);
  config.duration = 1s;
  LoadReport report = run(config);
  uint64_t slow = 0;
  const stats::Histogram& h = report.lanes.at(0).response_time;
  for (size_t i = 0; i < h.counts().size(); ++i)
    slow += h.layout().lowest_at(i) >= 200'000'000 ? h.counts()[i] : 0;
  EXPECT_GE(slow, 1u);
  EXPECT_LE(slow, 8u);  // four, unless the machine itself stood still once more
}

TEST(Load, AStormCountsConnectionsThatWereNeverServed) {
  TruthServer server([](int connection, std::string_view bytes) {
    return connection < 3 ? TruthServer::Reply{.bytes = std::string(bytes)} : TruthServer::Reply{};
  });
  for (Arrivals arrivals : {Arrivals::kClosed, Arrivals::kPoisson}) {
    Client client = echo_client();
    LoadConfig config = config_for(server, client, arrivals, 8, 400);
    config.scenario = Scenario::kStorm;
    config.drain = 50ms;
    int before = server.accepted();
    LoadReport report = run(config);
    const LaneReport& lane = report.lanes.at(0);
    EXPECT_EQ(lane.connections_established, 8);
    EXPECT_EQ(lane.connections_never_served, before == 0 ? 5u : 8u);
    EXPECT_GE(lane.oldest_unanswered, Nanos{150ms});
    EXPECT_GE(lane.counts.scheduled, 8u);
  }
}

TEST(Load, ARampThatIsNotAnsweredSaysHowManyWere) {
  TruthServer server([](int connection, std::string_view) {
    return connection < 2 ? TruthServer::Reply{.bytes = kOk} : TruthServer::Reply{};
  });
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kClosed, 5);
  config.ramp_deadline = 300ms;
  LoadReport report = run(config);
  EXPECT_NE(report.failure.find("only 2 of 5 connections"), std::string::npos) << report.failure;
  EXPECT_EQ(report.lanes.at(0).counts.scheduled, 0u);

  TruthServer deaf(nullptr, 4);  // listens, never accepts
  config = config_for(deaf, client, Arrivals::kClosed, 2);
  config.ramp_deadline = 200ms;
  report = run(config);
  EXPECT_NE(report.failure.find("only 0 of 2"), std::string::npos) << report.failure;
}

TEST(Load, ARampAnsweredWronglyFailsAtOnce) {
  TruthServer server([](int, std::string_view) {
    return TruthServer::Reply{.bytes = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"};
  });
  Client client = http_client();
  LoadReport report = run(config_for(server, client, Arrivals::kClosed, 2));
  EXPECT_NE(report.failure.find("expected status 200, saw 404"), std::string::npos) << report.failure;
}

TEST(Load, NothingListeningIsAnErrorOfTheEnvironment) {
  uint16_t port = 0;
  { port = TruthServer(nullptr).port(); }
  Client client = http_client();
  LoadConfig config;
  config.port = port;
  config.lanes = {{.client = &client, .arrivals = Arrivals::kClosed}};
  config.duration = 10ms;
  Expected<LoadReport> report = run_load(config);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(report.error().message.find("refused"), std::string::npos) << report.error().message;
}

TEST(Load, TooManyConnectionsForTheDescriptorsNamesBothNumbers) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max > 1'000'000) GTEST_SKIP() << "no limit to run into";
  TruthServer server(ok);
  Client client = http_client();
  Expected<LoadReport> report =
      run_load(config_for(server, client, Arrivals::kClosed, static_cast<int>(limit.rlim_max)));
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(report.error().message.find(fmt::format("need {}", limit.rlim_max + 256)), std::string::npos);
  EXPECT_NE(report.error().message.find(fmt::format("limit is {}", limit.rlim_max)), std::string::npos);
}

TEST(Load, BadRequestsAreRefusedWithASentence) {
  TruthServer server(ok);
  Client client = http_client();
  LoadConfig good = config_for(server, client, Arrivals::kConstant, 1, 100);
  auto refused = [](LoadConfig config, std::string_view says) {
    Expected<LoadReport> report = run_load(config);
    ASSERT_FALSE(report.has_value()) << says;
    EXPECT_EQ(report.error().kind, ErrorKind::kUsage);
    EXPECT_NE(report.error().message.find(says), std::string::npos) << report.error().message;
  };
  LoadConfig config = good;
  config.lanes[0].rate_per_s = 0;
  refused(config, "rate above 0");
  config = good;
  config.lanes[0].connections = 0;
  refused(config, "at least 1");
  config = good;
  config.address = "localhost";
  refused(config, "numeric IPv4");
  config = good;
  config.duration = Nanos{0};
  refused(config, "longer than 0");
}

TEST(Load, TwoLanesRunBesideEachOther) {
  TruthServer server(ok);
  Client heavy = http_client(), probe = http_client();
  LoadConfig config = config_for(server, heavy, Arrivals::kClosed, 2);
  config.lanes[0].name = "heavy";
  config.lanes.push_back({.name = "probe",
                          .client = &probe,
                          .connections = 3,
                          .arrivals = Arrivals::kPoisson,
                          .rate_per_s = 500});
  config.warmup = 50ms;
  LoadReport report = run(config);
  ASSERT_EQ(report.lanes.size(), 2u);
  EXPECT_EQ(report.lanes[1].name, "probe");
  EXPECT_GT(report.lanes[0].counts.completed, 0u);
  EXPECT_EQ(report.lanes[1].counts.completed, report.lanes[1].counts.scheduled);
  EXPECT_EQ(report.client.lateness.count(), report.lanes[1].counts.scheduled);
}

TEST(Load, HooksComeAtTheEdgesAndAnInterruptEndsTheLoad) {
  TruthServer server(ok);
  Client client = http_client();
  LoadConfig config = config_for(server, client, Arrivals::kConstant, 2, 1000);
  config.duration = 60s;
  std::string calls;
  std::atomic<bool> stop = false;
  LoadHooks hooks;
  hooks.on_ramp_end = [&] { calls += "ramped "; };
  hooks.on_window_start = [&] { calls += "start "; };
  hooks.on_window_end = [&] { calls += "end "; };
  hooks.interrupted = [&] { return stop.load(); };
  hooks.progress = [&](Nanos, uint64_t completed) { stop = completed > 0; };
  LoadReport report = run(config, hooks);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(calls, "ramped start end ");
  EXPECT_LT(report.window, Nanos{50s});
  EXPECT_GT(report.lanes.at(0).counts.completed, 0u);
  EXPECT_NEAR(report.lanes[0].scheduled_rate_per_s, 1000, 100);
}

}  // namespace
}  // namespace tickmark::load
