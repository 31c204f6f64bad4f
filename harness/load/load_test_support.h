#pragma once
// What the tests of the whole generator share: a server's plain answers, a small load, and a run that checks
// what must hold for every load whatever the server does.

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

#include "harness/load/load.h"
#include "harness/load/test_clients.h"
#include "harness/load/truth_server.h"

namespace tickmark::load {

inline const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

inline TruthServer::Reply echo(int, std::string_view bytes) { return {.bytes = std::string(bytes)}; }
inline TruthServer::Reply ok(int, std::string_view) { return {.bytes = kOk}; }

inline LoadConfig config_for(const TruthServer& server, const Client& client, Arrivals arrivals,
                             int connections, double rate = 0) {
  LoadConfig config;
  config.port = server.port();
  config.lanes = {{.client = &client, .connections = connections, .arrivals = arrivals, .rate_per_s = rate}};
  config.duration = 200ms;
  config.seed = 7;
  return config;
}

/// Runs, and checks what must hold for every load whatever the server does.
inline LoadReport run(const LoadConfig& config, const LoadHooks& hooks = {}) {
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

}  // namespace tickmark::load
