#include "reference-loop/http_session/server_session.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace http_session {
namespace {

using Log = std::vector<std::string>;

class TestSession;

// Logs what it sees; what it does is decided by the test, by path.
struct TestExchange final : ServerExchange {
  TestSession* session = nullptr;
  std::string path;
  void on_request(const http_parser::Request& request) override;
  void on_body(std::string_view piece) override;
  void on_request_end() override;
  void on_drain() override;
  void on_abandoned() override;
  void note(const std::string& what);
};

class TestSession final : public ServerSession {
 public:
  explicit TestSession(const ServerSettings& settings) : ServerSession(settings) {}
  ~TestSession() override { abandon(); }

  void send(std::string_view bytes) override { sent += bytes, ++sends; }
  std::size_t unsent_bytes() const override { return unsent; }
  void close() override { log.push_back("close"); }
  void input_wanted(bool wanted) override { log.push_back(wanted ? "read" : "stop reading"); }
  ServerExchange& acquire() override {
    auto* exchange = new TestExchange;
    exchange->session = this;
    ++live;
    return *exchange;
  }
  void release(ServerExchange& exchange) override {
    std::erase_if(open, [&](const auto& entry) { return entry.second == &exchange; });
    --live;
    delete static_cast<TestExchange*>(&exchange);
  }

  std::string sent;
  int sends = 0;
  std::size_t unsent = 0;
  int live = 0;
  Log log;
  std::map<std::string, TestExchange*> open;  // by path
  std::map<std::string, std::function<void(TestExchange&)>> on_request, on_end, on_drain;
};

void TestExchange::note(const std::string& what) { session->log.push_back(path + " " + what); }
void TestExchange::on_request(const http_parser::Request& request) {
  path = request.path();
  session->open[path] = this;
  note(std::string(request.method));
  if (const auto found = session->on_request.find(path); found != session->on_request.end())
    found->second(*this);
}
void TestExchange::on_body(std::string_view piece) { note("body " + std::string(piece)); }
void TestExchange::on_request_end() {
  note("end");
  if (const auto found = session->on_end.find(path); found != session->on_end.end()) found->second(*this);
}
void TestExchange::on_drain() {
  note("drain");
  if (const auto found = session->on_drain.find(path); found != session->on_drain.end()) found->second(*this);
}
void TestExchange::on_abandoned() { note("abandoned"); }

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}
std::string ok(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" +
         body;
}

std::string all_but(std::size_t bytes, const std::string& message) {
  return message.substr(0, message.size() - bytes);
}

struct ServerSessionTest : ::testing::Test {
  ServerSettings settings{.limits = {}, .exchanges_max = 3, .with_date = false};
  TestSession session{settings};
  void answer(const std::string& path, const std::string& body) { session.open.at(path)->reply(200, body); }
};

TEST_F(ServerSessionTest, a_body_is_passed_on_as_it_arrives) {
  session.receive(all_but(4, post("/a", "hello")));
  session.receive("ello" + get("/b"));
  EXPECT_EQ(session.log, (Log{"/a POST", "/a body h", "/a body ello", "/a end", "/b GET", "/b end"}));
}

TEST_F(ServerSessionTest, answers_leave_in_request_order_and_streams_take_turns) {
  session.receive(get("/a") + get("/b"));
  TestExchange& b = *session.open["/b"];
  b.begin_reply(200);
  b.write("one");
  EXPECT_EQ(session.sent, "") << "out of turn";
  EXPECT_GT(b.queued_bytes(), 0u);
  answer("/a", "A");
  EXPECT_EQ(session.sent, ok("A") + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_EQ(session.sends, 1);
  EXPECT_EQ(session.log.back(), "/b drain") << "what was kept has left";
  session.sent.clear();
  b.write(std::string(16, 'x'));
  b.write("");
  b.end_reply();
  EXPECT_EQ(session.sent, "10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
  EXPECT_EQ(session.live, 0);
}

TEST_F(ServerSessionTest, a_known_length_is_announced_and_less_of_it_ends_the_connection) {
  session.receive(get("/a"));
  session.open["/a"]->begin_reply(200, 5);
  session.open["/a"]->write("12345");
  session.open["/a"]->end_reply();
  EXPECT_EQ(session.sent, ok("12345"));
  session.receive(get("/b"));
  session.open["/b"]->begin_reply(200, 5);
  session.open["/b"]->write("123");
  session.open["/b"]->end_reply();
  EXPECT_EQ(session.log.back(), "close");
}

TEST_F(ServerSessionTest, a_client_of_http_1_0_reads_until_the_end) {
  session.receive("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  session.open["/a"]->begin_reply(200);
  session.open["/a"]->write("all");
  session.open["/a"]->end_reply();
  EXPECT_EQ(session.sent, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall");
  EXPECT_EQ(session.log.back(), "close");
}

TEST_F(ServerSessionTest, head_and_statuses_without_body_send_none) {
  session.receive("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b") + get("/c"));
  session.open["/a"]->begin_reply(200);
  session.open["/a"]->write("ignored");
  session.open["/a"]->end_reply();
  answer("/b", "B");
  session.open["/c"]->reply(204, "");
  EXPECT_EQ(session.sent, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ok("B") +
                              "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(ServerSessionTest, no_more_is_read_while_too_many_are_unanswered) {
  session.receive(get("/1") + get("/2") + get("/3") + get("/4") + get("/5"));
  EXPECT_EQ(session.open.size(), 3u);
  EXPECT_EQ(session.log.back(), "stop reading");
  answer("/2", "");
  EXPECT_EQ(session.open.size(), 3u) << "it is not its turn";
  answer("/1", "");
  EXPECT_EQ(session.open.count("/4") + session.open.count("/5"), 2u);
  answer("/3", "");
  EXPECT_EQ(session.log.back(), "read");
}

TEST_F(ServerSessionTest, no_more_is_read_while_too_much_is_unsent) {
  settings.unsent_bytes_max = 100;
  for (const char* path : {"/1", "/2", "/3"})
    session.on_request[path] = [](TestExchange& self) { self.reply(200, std::string(101, 'x')); };
  session.receive(get("/1") + get("/2"));
  EXPECT_EQ(session.sends, 2) << "what leaves at once holds nobody back";
  session.unsent = 101;
  session.log.clear();
  session.receive(get("/3"));
  EXPECT_EQ(session.log, Log{"stop reading"});
  session.unsent = 0;
  session.drained();
  EXPECT_EQ(session.log, (Log{"stop reading", "/3 GET", "read"}));
}

TEST_F(ServerSessionTest, a_paused_body_waits) {
  session.on_request["/a"] = [](TestExchange& self) { self.pause(); };
  session.receive(post("/a", "12345") + get("/b"));
  EXPECT_EQ(session.log, (Log{"/a POST", "stop reading"}));
  session.open["/a"]->resume();
  EXPECT_EQ(session.log,
            (Log{"/a POST", "stop reading", "/a body 12345", "/a end", "/b GET", "/b end", "read"}));
}

TEST_F(ServerSessionTest, pausing_outside_a_callback_stops_the_input_at_once) {
  session.receive(all_but(3, post("/a", "12345")));
  session.open["/a"]->pause();
  EXPECT_EQ(session.log.back(), "stop reading");
  session.receive("345");  // was already under way
  EXPECT_EQ(session.log.back(), "stop reading");
  session.open["/a"]->resume();
  EXPECT_EQ(session.log, (Log{"/a POST", "/a body 12", "stop reading", "/a body 345", "/a end", "read"}));
}

TEST_F(ServerSessionTest, an_answer_before_the_body_lets_the_rest_pass_unseen) {
  session.on_request["/a"] = [](TestExchange& self) { self.reply(403, "no"); };
  session.receive(all_but(4, post("/a", "12345")));
  session.receive("2345" + get("/b"));
  EXPECT_EQ(session.log, (Log{"/a POST", "/b GET", "/b end"}));
}

TEST_F(ServerSessionTest, who_waits_for_continue_gets_it_or_an_answer_and_the_end) {
  const std::string waiting = post("/a", "12345", "Expect: 100-continue\r\n");
  const std::string head = waiting.substr(0, waiting.size() - 5);
  session.receive(head);
  EXPECT_EQ(session.sent, "HTTP/1.1 100 Continue\r\n\r\n");
  session.receive("12345");
  answer("/a", "A");
  EXPECT_EQ(session.sent, "HTTP/1.1 100 Continue\r\n\r\n" + ok("A"));

  TestSession refusing(settings);
  refusing.on_request["/a"] = [](TestExchange& self) { self.reply(403, ""); };
  refusing.receive(head);
  EXPECT_EQ(refusing.sent, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(refusing.log.back(), "close") << "the body may come or not: nothing after it can be trusted";
}

TEST_F(ServerSessionTest, a_body_that_breaks_the_protocol_is_answered_by_the_session) {
  session.receive(
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n");
  EXPECT_EQ(session.log, (Log{"/a POST", "/a body abc", "/a abandoned", "close"}));
  EXPECT_TRUE(session.sent.starts_with("HTTP/1.1 400 Bad Request\r\n")) << session.sent;
  EXPECT_EQ(session.live, 0);
}

TEST_F(ServerSessionTest, half_an_answer_to_a_broken_request_is_cut_off) {
  session.on_request["/a"] = [](TestExchange& self) { self.begin_reply(200), self.write("half"); };
  session.receive("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
  EXPECT_EQ(session.log, (Log{"/a POST", "/a abandoned", "close"}));
  EXPECT_TRUE(session.sent.ends_with("4\r\nhalf\r\n")) << "no last chunk";
}

TEST_F(ServerSessionTest, a_peer_that_half_closes_gets_what_it_is_owed_though_it_cut_the_last) {
  session.receive(get("/a") + all_but(4, post("/b", "12345")));
  session.receive_end();
  EXPECT_EQ(session.log.back(), "/b abandoned");
  answer("/a", "A");
  EXPECT_EQ(session.sent, ok("A"));
  EXPECT_EQ(session.log.back(), "close");
}

TEST_F(ServerSessionTest, requests_held_back_when_the_peer_half_closes_are_served) {
  session.receive(get("/1") + get("/2") + get("/3") + get("/4"));
  session.receive_end();
  for (const char* path : {"/1", "/2", "/3", "/4"}) answer(path, "");
  EXPECT_EQ(session.sent, ok("") + ok("") + ok("") + ok(""));
  EXPECT_EQ(session.log.back(), "close");
}

TEST_F(ServerSessionTest, finishing_answers_what_is_open_and_closes) {
  session.receive(get("/a") + get("/b"));
  session.finish();
  session.receive(get("/c"));
  answer("/a", "A");
  answer("/b", "B");
  EXPECT_EQ(session.sent, ok("A") + ok("B", "Connection: close\r\n"));
  EXPECT_EQ(session.log.back(), "close");
  TestSession idle(settings);
  idle.finish();
  EXPECT_EQ(idle.log, Log{"close"});
}

TEST_F(ServerSessionTest, a_request_that_arrived_in_part_is_still_served_when_finishing) {
  session.receive(get("/a").substr(0, 9));
  session.finish();
  EXPECT_EQ(session.log, Log{});
  session.receive(get("/a").substr(9) + get("/b"));
  answer("/a", "A");
  EXPECT_EQ(session.sent, ok("A", "Connection: close\r\n"));
  EXPECT_EQ(session.log, (Log{"/a GET", "/a end", "close"}));
}

TEST_F(ServerSessionTest, the_owner_may_refuse_and_abandon) {
  session.receive(get("/a") + get("/b").substr(0, 5));
  EXPECT_TRUE(session.reading_head());
  session.refuse(408, "too slow");
  answer("/a", "A");
  EXPECT_TRUE(session.sent.starts_with(ok("A") + "HTTP/1.1 408 Request Timeout\r\n")) << session.sent;
  EXPECT_EQ(session.log.back(), "close");

  TestSession gone(settings);
  gone.receive(get("/a") + get("/b"));
  gone.abandon();
  EXPECT_EQ(gone.log, (Log{"/a GET", "/a end", "/b GET", "/b end", "/a abandoned", "/b abandoned"}));
  EXPECT_EQ(gone.live, 0);
}

TEST_F(ServerSessionTest, abandoning_inside_a_callback_ends_the_reading) {
  session.on_request["/a"] = [&](TestExchange&) { session.abandon(); };
  session.receive(post("/a", "12345") + get("/b"));
  EXPECT_EQ(session.log, (Log{"/a POST", "/a abandoned"}));
}

TEST(FieldBlock, cannot_split_a_response) {
  FieldBlock fields;
  EXPECT_TRUE(fields.add("X-Name", "value; a=\"b\""));
  EXPECT_FALSE(fields.add("X-Name", "a\r\nSet-Cookie: b"));
  EXPECT_FALSE(fields.add("X-Name", "a\nb"));
  EXPECT_FALSE(fields.add("X-Name", std::string_view("a\0b", 3)));
  EXPECT_FALSE(fields.add("X Name", "a"));
  EXPECT_FALSE(fields.add("X-Name:", "a"));
  EXPECT_FALSE(fields.add("", "a"));
  for (const char* own : {"Content-length", "TRANSFER-ENCODING", "connection", "Date"})
    EXPECT_FALSE(fields.add(own, "1")) << "the session's own";
  EXPECT_EQ(fields.text(), "X-Name: value; a=\"b\"\r\n");
}

TEST(DateLine, is_the_date_of_rfc_9110) {
  char line[kDateLineBytes];
  const auto at = [&](std::int64_t seconds) {
    write_date_line(seconds, line);
    return std::string(line, sizeof(line));
  };
  EXPECT_EQ(at(0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(at(784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(at(951782399), "Date: Mon, 28 Feb 2000 23:59:59 GMT\r\n");
  EXPECT_EQ(date_line().size(), kDateLineBytes);
}

TEST_F(ServerSessionTest, fields_and_date_are_part_of_the_head) {
  settings.with_date = true;
  FieldBlock fields;
  ASSERT_TRUE(fields.add("Content-Type", "text/plain"));
  session.receive(get("/a"));
  session.open["/a"]->reply(299, "x", &fields);
  const std::string start = "HTTP/1.1 299 Unknown\r\nContent-Length: 1\r\nDate: ";
  EXPECT_TRUE(session.sent.starts_with(start)) << session.sent;
  EXPECT_TRUE(session.sent.ends_with(" GMT\r\nContent-Type: text/plain\r\n\r\nx")) << session.sent;
}

}  // namespace
}  // namespace http_session
