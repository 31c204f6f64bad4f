#include "harness/subject/http_session.h"

#include <ctime>
#include <deque>
#include <gtest/gtest.h>
#include <regex>
#include <vector>

namespace tickmark::subject::http_session_test {
namespace {

// A connection in memory: keeps what was sent, and offloaded work until the test runs it.
class FakeConnection final : public Connection {
 public:
  void send(std::string_view bytes) override {
    sent += bytes;
    sends.push_back(bytes);
  }
  void close() override { ++closes; }
  void offload(Work, Then then) override { jobs.push_back(std::move(then)); }

  void finish(size_t job, std::string text) {
    WorkOutcome outcome;
    outcome.text = std::move(text);
    jobs[job](std::move(outcome));
  }

  std::string sent;
  std::vector<std::string_view> sends;  ///< dangling but for address and size
  std::deque<Then> jobs;
  int closes = 0;
};

// /now answers at once, /later when its work is done, /large with a body that must not be copied.
class TestService final : public HttpService {
 public:
  void on_request(const HttpRequest& request, Exchange& exchange) const override {
    seen.push_back(std::string(request.method) + " " + std::string(request.path) + "?" +
                   std::string(request.query) + " " + std::string(request.body));
    if (request.path == "/now") return exchange.reply(200, "now");
    if (request.path == "/large") return exchange.reply(200, large);
    if (request.path == "/later") {
      return exchange.offload(
          Crunch{}, [](Exchange& waiting, WorkOutcome outcome) { waiting.reply(200, outcome.text); });
    }
    if (request.path == "/inline") {
      return exchange.inline_work(
          Crunch{Crunch::Function::kPrimes, 10},
          [](Exchange& waiting, WorkOutcome outcome) { waiting.reply(200, outcome.text); });
    }
    exchange.reply(404, "");
  }
  mutable std::vector<std::string> seen;
  std::string large = std::string(1 << 20, 'x');
};

std::string get(std::string_view target, std::string_view fields = "", std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "\r\n";
}
std::string ok(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) +
         "\r\n" + std::string(body);
}

class HttpSessionTest : public ::testing::Test {
 protected:
  TestService service;
  FakeConnection connection;
  std::atomic<uint64_t> requests{0};
  std::unique_ptr<HttpSession> session = std::make_unique<HttpSession>(service, connection, &requests);
};

TEST_F(HttpSessionTest, answers_with_status_line_and_length_only) {
  session->on_bytes(get("/now"));
  EXPECT_EQ(connection.sent, ok("now"));
  EXPECT_EQ(connection.closes, 0);
}

TEST_F(HttpSessionTest, pipelined_requests_of_one_read_leave_in_one_send) {
  session->on_bytes(get("/now") + get("/nope") + get("/now"));
  EXPECT_EQ(connection.sent, ok("now") + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" + ok("now"));
  EXPECT_EQ(connection.sends.size(), 1u);
}

TEST_F(HttpSessionTest, work_finishing_in_any_order_is_answered_in_request_order) {
  session->on_bytes(get("/later") + get("/now") + get("/later") + get("/later"));
  EXPECT_EQ(connection.sent, "");
  connection.finish(2, "third");
  connection.finish(0, "first");
  EXPECT_EQ(connection.sent, ok("first") + ok("now"));
  connection.finish(1, "second");
  EXPECT_EQ(connection.sent, ok("first") + ok("now") + ok("second") + ok("third"));
  EXPECT_EQ(connection.sends.size(), 2u);
}

TEST_F(HttpSessionTest, bytes_may_arrive_one_by_one) {
  const std::string post = "POST /now?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhallo";
  for (const char byte : post + get("/now")) session->on_bytes({&byte, 1});
  EXPECT_EQ(connection.sent, ok("now") + ok("now"));
  EXPECT_EQ(service.seen, (std::vector<std::string>{"POST /now?a=b hallo", "GET /now? "}));
}

TEST_F(HttpSessionTest, a_partial_request_of_one_session_does_not_leak_into_another) {
  FakeConnection other_connection;
  HttpSession other(service, other_connection);
  session->on_bytes(get("/now").substr(0, 10));
  other.on_bytes(get("/nope").substr(0, 12));
  session->on_bytes(get("/now").substr(10));
  other.on_bytes(get("/nope").substr(12));
  EXPECT_EQ(connection.sent, ok("now"));
  EXPECT_EQ(other_connection.sent, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(HttpSessionTest, inline_work_is_done_before_it_returns) {
  session->on_bytes(get("/inline"));
  EXPECT_EQ(connection.sent, ok("4"));
  EXPECT_TRUE(connection.jobs.empty());
}

TEST_F(HttpSessionTest, a_large_body_is_sent_from_where_it_lies) {
  session->on_bytes(get("/now") + get("/large"));
  EXPECT_EQ(connection.sent, ok("now") + ok(service.large));
  ASSERT_EQ(connection.sends.size(), 2u);
  EXPECT_EQ(connection.sends[1].data(), service.large.data());
}

TEST_F(HttpSessionTest, closes_after_the_reply_to_a_client_that_asks_for_it) {
  session->on_bytes(get("/later") + get("/now", "Connection: close\r\n") + get("/now"));
  EXPECT_EQ(connection.closes, 0);
  connection.finish(0, "first");
  EXPECT_EQ(connection.sent, ok("first") + ok("now", "Connection: close\r\n"));
  EXPECT_EQ(connection.closes, 1);
  session->on_bytes(get("/now"));
  EXPECT_EQ(service.seen.size(), 2u);
}

TEST_F(HttpSessionTest, refuses_in_turn_and_closes) {
  session->on_bytes(get("/later") + "GET / HTTP/1.1\r\n\r\n" + get("/now"));
  EXPECT_EQ(connection.sent, "");
  connection.finish(0, "first");
  EXPECT_TRUE(connection.sent.starts_with(ok("first") + "HTTP/1.1 400 Bad Request\r\n")) << connection.sent;
  EXPECT_EQ(connection.closes, 1);
  EXPECT_EQ(service.seen.size(), 1u);
}

TEST_F(HttpSessionTest, limits_have_their_status) {
  const std::pair<std::string, std::string> cases[] = {
      {get("/now", "A: " + std::string(20'000, 'a') + "\r\n"), "431 Request Header Fields Too Large"},
      {get("/now", "Content-Length: 99999999\r\n", "POST"), "413 Content Too Large"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported"},
      {get("/now", "Transfer-Encoding: gzip\r\n", "POST"), "501 Not Implemented"}};
  for (const auto& [request, status] : cases) {
    FakeConnection peer;
    HttpSession(service, peer).on_bytes(request);
    EXPECT_TRUE(peer.sent.starts_with("HTTP/1.1 " + status + "\r\n")) << peer.sent;
    EXPECT_NE(peer.sent.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(peer.closes, 1);
  }
}

TEST_F(HttpSessionTest, a_half_closed_peer_gets_what_it_is_owed) {
  session->on_bytes(get("/later"));
  session->on_end();
  EXPECT_EQ(connection.closes, 0);
  connection.finish(0, "late");
  EXPECT_EQ(connection.sent, ok("late"));
  EXPECT_EQ(connection.closes, 1);
}

TEST_F(HttpSessionTest, a_peer_that_ends_idle_or_amid_a_request_is_closed) {
  session->on_bytes(get("/now").substr(0, 10));
  session->on_end();
  EXPECT_EQ(connection.sent, "");
  EXPECT_EQ(connection.closes, 1);
}

TEST_F(HttpSessionTest, head_is_get_without_the_body) {
  session->on_bytes(get("/now", "", "HEAD") + get("/now"));
  EXPECT_EQ(connection.sent, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + ok("now"));
  EXPECT_EQ(service.seen[0], "GET /now? ");
}

TEST_F(HttpSessionTest, continues_a_client_that_waits_after_the_replies_before_it) {
  const std::string waiting = get("/now", "Content-Length: 2\r\nExpect: 100-continue\r\n", "POST");
  session->on_bytes(get("/later") + waiting);
  EXPECT_EQ(connection.sent, "");
  connection.finish(0, "first");
  EXPECT_EQ(connection.sent, ok("first") + "HTTP/1.1 100 Continue\r\n\r\n");
  session->on_bytes("h");
  session->on_bytes("i");
  EXPECT_EQ(connection.sent, ok("first") + "HTTP/1.1 100 Continue\r\n\r\n" + ok("now"));
}

TEST_F(HttpSessionTest, speaks_to_http_1_0_clients) {
  session->on_bytes("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(connection.sent, ok("now", "Connection: keep-alive\r\n"));
  EXPECT_EQ(connection.closes, 0);
  session->on_bytes("GET /now HTTP/1.0\r\n\r\n");
  EXPECT_EQ(connection.closes, 1);
}

TEST_F(HttpSessionTest, common_headers_are_those_most_servers_send) {
  HttpSession common(service, connection, nullptr, ReplyHeaders::kCommon);
  const time_t before = std::time(nullptr);
  common.on_bytes(get("/now") + get("/now", "Connection: close\r\n"));
  const time_t after = std::time(nullptr);
  const std::regex replies(
      "HTTP/1\\.1 200 OK\r\nContent-Length: 3\r\nDate: ([^\r]+)\r\nServer: tickmark\r\n"
      "Content-Type: text/plain\r\nConnection: keep-alive\r\n\r\nnow"
      "HTTP/1\\.1 200 OK\r\nContent-Length: 3\r\nDate: [^\r]+\r\nServer: tickmark\r\n"
      "Content-Type: text/plain\r\nConnection: close\r\n\r\nnow");
  std::smatch match;
  ASSERT_TRUE(std::regex_match(connection.sent, match, replies)) << connection.sent;
  tm utc{};
  ASSERT_NE(::strptime(match[1].str().c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc), nullptr) << match[1];
  const time_t date = ::timegm(&utc);
  EXPECT_TRUE(before <= date && date <= after) << match[1];
}

TEST_F(HttpSessionTest, counts_replies_and_survives_ending_with_work_outstanding) {
  session->on_bytes(get("/now") + get("/later") + get("/now"));
  session.reset();
  EXPECT_EQ(requests, 1u);
}

}  // namespace
}  // namespace tickmark::subject::http_session_test
