// What a server makes of peers that take their time, in virtual time.
#include <gtest/gtest.h>

#include "reference-loop/http/http_server.h"
#include "reference-loop/http/test_http.h"

namespace refloop::http_server_time_test {
namespace {

using namespace std::chrono_literals;
using http_parser::Request;

// One who sends a byte a second, for as long as he may, in virtual time.
struct Trickle {
  explicit Trickle(Loop& loop) : peer(loop), timer(loop) { timer.data = this; }
  RawPeer peer;
  Timer timer;
  Nanos ended_at{};

  void start(const Address& address, const char* head) {
    peer.connect(address);
    peer.say(head);
    (void)timer.start(
        [](Timer& each) {
          Trickle& self = *static_cast<Trickle*>(each.data);
          if (!self.peer.ended) return self.peer.say("x");
          self.ended_at = each.loop().now();
          self.timer.close();
          self.peer.close();
        },
        1s, 1s);
  }
};

TEST(HttpServerTime, a_request_that_trickles_is_answered_408_when_its_time_is_over) {
  const auto loop = Loop::create({.backend = BackendKind::simulated}).value();
  static int begun;
  begun = 0;
  HttpServer server(*loop, {.idle_timeout = 5s, .request_timeout = 30s},
                    [](HttpExchange&, const Request&) { ++begun; });
  ASSERT_TRUE(server.listen(Address::parse("127.0.0.1", 0).value()));
  const Nanos began = loop->now();
  Trickle slow(*loop);
  slow.start(server.local_address().value(), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  while (!slow.timer.is_closing() && loop->alive()) loop->run(RunMode::once);
  EXPECT_EQ(begun, 1);
  EXPECT_TRUE(slow.peer.heard.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << slow.peer.heard;
  EXPECT_GE(slow.ended_at - began, 30s);
  EXPECT_LE(slow.ended_at - began, 32s);
  server.abort();
  EXPECT_FALSE(loop->run());
}

// Twenty seconds of every request are the handler's: they do not count.
TEST(HttpServerTime, the_time_in_which_the_handler_pauses_a_request_does_not_count) {
  const auto loop = Loop::create({.backend = BackendKind::simulated}).value();
  struct Slow {
    Timer timer;
    HttpExchange* exchange = nullptr;
  } handler{Timer(*loop)};
  handler.timer.data = &handler;
  HttpServer server(*loop, {.request_timeout = 10s}, [](HttpExchange& exchange, const Request&) {
    Slow& slow = *static_cast<Slow*>(exchange.server().data);
    slow.exchange = &exchange;
    exchange.pause();
    exchange.set_on_request_end([](HttpExchange& read) { read.reply(200, "in time"); });
    (void)slow.timer.start([](Timer& timer) { static_cast<Slow*>(timer.data)->exchange->resume(); }, 20s);
  });
  server.data = &handler;
  ASSERT_TRUE(server.listen(Address::parse("127.0.0.1", 0).value()));
  RawPeer peer(*loop);
  peer.connect(server.local_address().value());
  peer.say("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  Timer rest(*loop);
  rest.data = &peer;
  (void)rest.start([](Timer& timer) { static_cast<RawPeer*>(timer.data)->say("cd"); }, 25s);
  peer.on_bytes = [&] { peer.close(); };
  while (!peer.closed && loop->alive()) loop->run(RunMode::once);
  EXPECT_TRUE(peer.heard.starts_with("HTTP/1.1 200 OK\r\n")) << peer.heard;
  server.abort();
  rest.close();
  handler.timer.close();
  EXPECT_FALSE(loop->run());
}

}  // namespace
}  // namespace refloop::http_server_time_test
