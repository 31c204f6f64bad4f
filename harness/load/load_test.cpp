// The whole generator against servers whose behaviour is known and right. Times only where a fault of seconds
// would show; counts and verification exactly.
#include "harness/load/load.h"

#include <atomic>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "harness/load/load_test_support.h"

namespace tickmark::load {
namespace {

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
  EXPECT_DOUBLE_EQ(lane.bytes_per_reply, static_cast<double>(kOk.size()));
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

TEST(Load, ArrivalsDueJustBeforeTheEndBelongToTheWindow) {
  TruthServer server(echo);
  Client client = echo_client();
  for (int i = 0; i < 5; ++i) {
    LoadConfig config = config_for(server, client, Arrivals::kConstant, 4, 20'000);
    config.duration = 20ms;  // the last is due 50 us before the end, about one wake-up
    EXPECT_EQ(run(config).lanes.at(0).counts.scheduled, 400u);
  }
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
  // More than both socket buffers may hold (tcp_wmem and tcp_rmem: 4 and 6 MiB at most by default), so no
  // call can pass it whole. How many calls fall into the window is up to the machine and is not judged.
  Client client = echo_client(size_t{16} << 20);
  LoadConfig config = config_for(server, client, Arrivals::kClosed, 1);
  config.drain = 20s;
  config.request_timeout = 60s;
  LoadReport report = run(config);
  EXPECT_EQ(report.failure, "");
  EXPECT_GT(report.lanes.at(0).counts.completed, 0u);
  EXPECT_EQ(report.lanes.at(0).counts.completed, report.lanes.at(0).counts.scheduled);
  EXPECT_EQ(report.lanes.at(0).wrong_replies, 0u);
}

TEST(Load, AMegabyteBodyIsVerifiedToItsLastByte) {
  std::string body(1 << 20, 'x');
  for (bool wrong : {false, true}) {
    std::atomic<int> replies = 0;
    TruthServer server([&](int, std::string_view) {
      std::string reply = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size()) + body;
      ++replies;
      if (wrong && replies == 3) reply[reply.size() - body.size() + 700'001] = 'y';
      if (wrong && replies == 4) reply.back() = 'y';
      return TruthServer::Reply{.bytes = reply};
    });
    Client client = http_client(body);
    LoadReport report = run(config_for(server, client, Arrivals::kClosed, 1));
    EXPECT_EQ(report.lanes.at(0).wrong_replies, wrong ? 2u : 0u);
    if (wrong) {
      EXPECT_NE(report.lanes[0].wrong_reply.find("byte 700001"), std::string::npos)
          << report.lanes[0].wrong_reply;
      EXPECT_NE(report.lanes[0].wrong_reply.find("GET / HTTP/1.1"), std::string::npos)
          << report.lanes[0].wrong_reply;
    }
  }
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
