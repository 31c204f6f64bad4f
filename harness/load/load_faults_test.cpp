// The whole generator against servers with one known fault each, and asked for what cannot be done.
#include <atomic>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <thread>

#include "harness/load/load.h"
#include "harness/load/load_test_support.h"

namespace tickmark::load {
namespace {

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

TEST(Load, AStormCountsConnectionsThatWereNeverServed) {
  TruthServer server([](int connection, std::string_view bytes) {
    return connection < 3 ? TruthServer::Reply{.bytes = std::string(bytes)} : TruthServer::Reply{};
  });
  for (Arrivals arrivals : {Arrivals::kClosed, Arrivals::kConstant}) {
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
    // Each spoke at its connect; the open loop's 400/s for 0.2 s came on top.
    if (arrivals == Arrivals::kConstant) {
      EXPECT_EQ(lane.counts.scheduled, 88u);
    }
  }
}

TEST(Load, AStormOnAServerThatNeverAcceptsLeavesEveryFirstMessageOpen) {
  TruthServer deaf(nullptr, 1);
  Client client = echo_client();
  LoadConfig config = config_for(deaf, client, Arrivals::kClosed, 8);
  config.scenario = Scenario::kStorm;
  config.drain = 50ms;
  const LoadReport report = run(config);
  const LaneReport& lane = report.lanes.at(0);
  EXPECT_EQ(lane.counts.scheduled, 8u);
  EXPECT_LT(lane.connections_established, 8);
  EXPECT_EQ(lane.counts.in_flight, static_cast<uint64_t>(lane.connections_established));
  EXPECT_EQ(lane.counts.unsent, 8 - lane.counts.in_flight);
  EXPECT_EQ(lane.connections_never_served, 8u);
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

}  // namespace
}  // namespace tickmark::load
