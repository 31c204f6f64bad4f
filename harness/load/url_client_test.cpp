#include "harness/load/url_client.h"

#include <atomic>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "harness/load/load.h"
#include "harness/load/truth_server.h"

namespace tickmark::load {
namespace {

TEST(UrlClient, TakesTheFirstReplyAsTheTruth) {
  std::string body = "first";
  TruthServer server([&body](int, std::string_view) {
    return TruthServer::Reply{.bytes = "HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" +
                                       body + "\r\n0\r\n\r\n"};
  });
  Client half = make_url_client("127.0.0.1", "/");
  LoadConfig config;
  config.port = server.port();
  config.lanes = {{.client = &half, .connections = 2, .arrivals = Arrivals::kClosed}};
  config.duration = 50ms;
  Expected<LoadReport> report = run_load(config);
  ASSERT_TRUE(report.has_value());
  EXPECT_GT(report->lanes[0].counts.completed, 0u);
  EXPECT_EQ(report->lanes[0].wrong_replies, 0u);
  EXPECT_EQ(half.http->expected_status(0), 302);
  EXPECT_EQ(half.http->expected_body(0), "first");
}

TEST(UrlClient, AChangingBodyIsAWrongReply) {
  std::atomic<int> replies = 0;
  TruthServer server([&](int, std::string_view) {
    return TruthServer::Reply{
        .bytes = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", ++replies > 4 ? 2 : 1)};
  });
  Client half = make_url_client("127.0.0.1", "/");
  LoadConfig config;
  config.port = server.port();
  config.lanes = {{.client = &half, .connections = 1, .arrivals = Arrivals::kClosed}};
  config.duration = 50ms;
  Expected<LoadReport> report = run_load(config);
  ASSERT_TRUE(report.has_value());
  EXPECT_GT(report->lanes[0].wrong_replies, 0u);
}

TEST(UrlClient, SaysWhatIsWrongWithAServer) {
  TruthServer missing([](int, std::string_view) {
    return TruthServer::Reply{.bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
  });
  TruthServer closing(
      [](int, std::string_view) { return TruthServer::Reply{.bytes = "HTTP", .close = true}; });
  TruthServer foreign([](int, std::string_view) { return TruthServer::Reply{.bytes = "220 smtp\r\n"}; });
  TruthServer silent([](int, std::string_view) { return TruthServer::Reply{}; });
  auto fault = [](uint16_t port) {
    auto learnt = UrlClient("127.0.0.1", "/").learn("127.0.0.1", port, 200ms);
    return learnt ? "" : learnt.error().message;
  };
  EXPECT_NE(fault(missing.port()).find("status 404"), std::string::npos);
  EXPECT_NE(fault(closing.port()).find("closed the connection"), std::string::npos);
  EXPECT_NE(fault(foreign.port()).find("no HTTP/1.1 server"), std::string::npos);
  EXPECT_NE(fault(silent.port()).find("no complete reply in time"), std::string::npos);
  uint16_t closed = 0;
  { closed = TruthServer(nullptr).port(); }
  EXPECT_NE(fault(closed).find("cannot connect"), std::string::npos);
}

}  // namespace
}  // namespace tickmark::load
