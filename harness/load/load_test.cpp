// The whole generator against servers whose behaviour is known. Times only where a fault of seconds would
// show; counts and verification exactly.
#include "harness/load/load.h"

#include <chrono>
#include <gtest/gtest.h>
#include <thread>

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

}  // namespace
}  // namespace tickmark::load
