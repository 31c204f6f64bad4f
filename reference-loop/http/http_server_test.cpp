#include "reference-loop/http/http_server.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <optional>

#include "reference-loop/http/test_http.h"
#include "reference-loop/test_loop.h"
#include "reference-loop/tls/test_certificates.h"

namespace refloop {
namespace {

using namespace std::chrono_literals;
using http_parser::Request;

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string ok(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" +
         body;
}
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++found;
  return found;
}

// /echo streams the body back as it comes; /later is kept until the test answers; anything else is repeated.
struct HttpServerTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  const TestPki& pki = TestPki::instance();
  TlsContext client_context = TlsContext::client(pki.trusting()).value();
  TlsContext server_context = TlsContext::server(pki.server.options()).value();
  std::unique_ptr<HttpServer> server;
  std::vector<HttpExchange*> later;
  std::size_t abandoned = 0;
  bool server_closed = false;
  std::vector<std::unique_ptr<RawPeer>> peers;
  std::vector<std::unique_ptr<LoggingClient>> clients;

  static HttpServerTest& of(HttpExchange& exchange) {
    return *static_cast<HttpServerTest*>(exchange.server().data);
  }
  void serve(HttpServerOptions options = {}) {
    options.session.with_date = false;
    server = std::make_unique<HttpServer>(*loop, options, on_request);
    server->data = this;
    ASSERT_TRUE(server->listen(Address::parse("127.0.0.1", 0).value()));
  }
  static void on_request(HttpExchange& exchange, const Request& request) {
    if (request.path() == "/echo") return echo(exchange);
    if (request.path() != "/later") return exchange.reply(200, request.path());
    of(exchange).later.push_back(&exchange);
    exchange.set_on_abandoned([](HttpExchange& gone) {
      ++of(gone).abandoned;
      std::erase(of(gone).later, &gone);
    });
  }
  static void echo(HttpExchange& exchange) {
    exchange.begin_reply(200);
    exchange.set_on_body([](HttpExchange& self, std::string_view piece) {
      self.write(piece);
      if (self.queued_bytes() > 256 * 1024) self.pause();
    });
    exchange.set_on_drain([](HttpExchange& self) { self.resume(); });
    exchange.set_on_request_end([](HttpExchange& self) { self.end_reply(); });
  }
  void answer(std::size_t index, std::string_view body) {
    HttpExchange& exchange = *later[index];
    later.erase(later.begin() + static_cast<std::ptrdiff_t>(index));
    exchange.reply(200, body);
  }
  RawPeer& connect() {
    RawPeer& peer = *peers.emplace_back(std::make_unique<RawPeer>(*loop));
    peer.connect(server->local_address().value());
    run_until([&] { return peer.connected; });
    return peer;
  }
  LoggingClient& open(HttpClientOptions options = {}) {
    LoggingClient& client = *clients.emplace_back(std::make_unique<LoggingClient>(*loop, std::move(options)));
    client.open({server->local_address().value()});
    run_until([&] { return !client.log.empty(); });
    return client;
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void close_server() {
    server->close(
        [](HttpServer& closed) { static_cast<HttpServerTest*>(closed.data)->server_closed = true; });
  }
  void stop_server() {
    close_server();
    server->abort();
    run_until([&] { return server_closed; });
    server_closed = false;
  }
  void TearDown() override {
    for (auto& peer : peers) peer->close();
    for (auto& client : clients) client->close();
    if (server) server->abort();
    EXPECT_FALSE(loop->run());
    EXPECT_TRUE(!server || server->connections() == 0);
  }
};

TEST_F(HttpServerTest, serves_one_request_after_the_other_on_one_connection) {
  serve();
  LoggingClient& client = open();
  for (const char* path : {"/a", "/b"}) {
    ASSERT_TRUE(client.get(path));
    run_until([&] { return client.log.back().starts_with("done"); });
    EXPECT_EQ(client.body, path);
    EXPECT_TRUE(client.http.is_reusable());
    client.log.push_back("-");
  }
  EXPECT_EQ(client.log, (Log{"open OK", "200", "done OK", "-", "200", "done OK", "-"}));
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(HttpServerTest, serves_on_tls) {
  serve({.tls = &server_context});
  LoggingClient& client = open({.tls = &client_context, .host = "localhost"});
  ASSERT_TRUE(client.get("/secret"));
  run_until([&] { return client.log.back() == "done OK"; });
  EXPECT_EQ(client.body, "/secret");
  LoggingClient& misled = open({.tls = &client_context, .host = "wrong.test"});
  EXPECT_EQ(misled.log, Log{"open EKEYREJECTED"});
  EXPECT_TRUE(
      misled.http.failure_reason().starts_with("the certificate that answers for wrong.test is not for"));
}

TEST_F(HttpServerTest, answers_pipelined_requests_in_order_however_they_are_cut_and_answered) {
  serve();
  RawPeer& peer = connect();
  for (const char byte : get("/later") + get("/a") + get("/later")) {
    peer.say({&byte, 1});
    loop->run(RunMode::nowait);
  }
  run_until([&] { return later.size() == 2; });
  answer(1, "second");
  loop->run(RunMode::nowait);
  EXPECT_EQ(peer.heard, "");
  answer(0, "first");
  run_until([&] { return peer.heard.ends_with("second"); });
  EXPECT_EQ(peer.heard, ok("first") + ok("/a") + ok("second"));
}

TEST_F(HttpServerTest, streams_both_ways_in_bounded_memory) {
  for (const TlsContext* tls :
       {static_cast<const TlsContext*>(nullptr), const_cast<const TlsContext*>(&server_context)}) {
    if (server) stop_server();
    serve({.session = {.limits = {.body_bytes_max = 1u << 30}}, .tls = tls});
    LoggingClient& client = open({.tls = tls ? &client_context : nullptr, .host = "localhost"});
    const std::string piece(64 * 1024, 'x');
    constexpr int kPieces = 256;
    client.on_body = [&] { client.http.pause(); };  // after the first piece: does not read its answer
    ASSERT_TRUE(client.ask({.method = "POST", .target = "/echo", .host = "localhost", .chunked = true}));
    int written = 0;
    std::size_t rounds_without_progress = 0;
    for (std::size_t queued = 0; rounds_without_progress < 200 && written < kPieces;
         ++rounds_without_progress) {
      while (client.http.queued_bytes() < piece.size() && written < kPieces) {
        ASSERT_TRUE(client.http.write(piece));
        ++written;
      }
      loop->run(RunMode::nowait);
      if (client.http.queued_bytes() != std::exchange(queued, client.http.queued_bytes()))
        rounds_without_progress = 0;
    }
    EXPECT_LT(written, kPieces) << "the server stopped reading what it could not send back";
    client.on_body = [] {};
    client.http.resume();
    run_until([&] {
      while (client.http.queued_bytes() < piece.size() && written < kPieces) {
        EXPECT_TRUE(client.http.write(piece));
        ++written;
      }
      if (written == kPieces) (void)client.http.end();
      return client.log.back().starts_with("done");
    });
    EXPECT_EQ(client.log.back(), "done OK");
    EXPECT_EQ(client.body.size(), piece.size() * kPieces);
    client.close();
    run_until([&] { return client.closed && server->connections() == 0; });
  }
}

TEST_F(HttpServerTest, limits_are_answered_with_their_status) {
  serve({.session = {.limits = {.head_bytes_max = 256, .headers_max = 8, .body_bytes_max = 16}}});
  const std::pair<const char*, std::string> cases[] = {
      {"431", get("/", "A: " + std::string(300, 'a') + "\r\n")},
      {"413", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n"},
      {"413", "POST /later HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n"},
      {"400", "GET / HTTP/1.1\r\n\r\n"},
      {"400", "GET / HTTP/1.1\nHost: h\n\n"},
      {"400", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"501", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"505", "GET / HTTP/2.0\r\nHost: h\r\n\r\n"},
      {"417", get("/", "Expect: tea\r\n")}};
  for (const auto& [status, bytes] : cases) {
    RawPeer& peer = connect();
    peer.say(bytes + get("/smuggled"));
    run_until([&] { return peer.ended; });
    EXPECT_TRUE(peer.heard.starts_with("HTTP/1.1 " + std::string(status))) << bytes << peer.heard;
    EXPECT_NE(peer.heard.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(count(peer.heard, "Content-Length:"), 1u) << "nothing behind it is read as a request";
    peer.close();
  }
  EXPECT_EQ(abandoned, 1u);
}

TEST_F(HttpServerTest, a_slow_head_is_answered_408_and_ended) {
  serve({.header_timeout = 1ms});
  RawPeer& peer = connect();
  peer.say("GET / HTT");
  run_until([&] { return peer.ended; });
  EXPECT_TRUE(peer.heard.starts_with("HTTP/1.1 408 Request Timeout\r\n")) << peer.heard;
  peer.close();
  run_until([&] { return server->connections() == 0; });
}

TEST_F(HttpServerTest, a_body_that_pauses_is_answered_408) {
  serve({.idle_timeout = 1ms});
  RawPeer& peer = connect();
  peer.say("POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  run_until([&] { return peer.ended; });
  EXPECT_TRUE(peer.heard.empty() || peer.heard.starts_with("HTTP/1.1 408")) << peer.heard;
  EXPECT_EQ(later.size(), 0u) << "whoever served it was told";
}

TEST_F(HttpServerTest, who_says_nothing_is_given_up_and_so_is_a_handshake_that_does_not_come) {
  serve({.idle_timeout = 1ms});
  RawPeer& silent = connect();
  run_until([&] { return silent.ended && server->connections() == 0; });
  EXPECT_EQ(silent.heard, "");
  stop_server();
  serve({.tls = &server_context, .header_timeout = 1ms});
  RawPeer& plain = connect();
  run_until([&] { return plain.ended && server->connections() == 0; });
}

TEST_F(HttpServerTest, who_does_not_linger_for_ever) {
  serve({.linger_timeout = 1ms});
  RawPeer& peer = connect();
  peer.say(get("/a", "Connection: close\r\n"));
  run_until([&] { return peer.ended && server->connections() == 0; });
  EXPECT_EQ(peer.heard, ok("/a", "Connection: close\r\n")) << "said, though the peer never ended";
}

TEST_F(HttpServerTest, who_does_not_read_its_answers_gets_no_more_of_its_requests_read_and_is_given_up) {
  static const std::string large(1 << 20, 'x');
  static std::size_t begun;
  begun = 0;
  HttpServerOptions options{.session = {.unsent_bytes_max = 2 << 20}, .idle_timeout = 1ms};
  server = std::make_unique<HttpServer>(*loop, options, [](HttpExchange& exchange, const Request&) {
    ++begun;
    exchange.reply(200, large);
  });
  ASSERT_TRUE(server->listen(Address::parse("127.0.0.1", 0).value()));
  RawPeer& peer = connect();
  peer.tcp.read_stop();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/");
  peer.say(requests);
  run_until([&] { return begun > 0 && server->connections() == 0; });
  EXPECT_LT(begun, 20u) << "what the sockets hold, and two more";
}

TEST_F(HttpServerTest, closing_finishes_what_was_begun_and_ends_what_is_idle) {
  serve();
  RawPeer& idle = connect();
  RawPeer& busy = connect();
  busy.say(get("/later") + get("/later"));
  run_until([&] { return later.size() == 2; });
  close_server();
  run_until([&] { return idle.ended; });
  EXPECT_FALSE(server_closed);
  answer(0, "first");
  answer(0, "second");
  run_until([&] { return busy.ended; });
  EXPECT_EQ(busy.heard, ok("first") + ok("second", "Connection: close\r\n"));
  idle.close();
  busy.close();
  run_until([&] { return server_closed; });
}

TEST_F(HttpServerTest, aborting_tells_whoever_still_serves) {
  serve();
  RawPeer& peer = connect();
  peer.say(get("/later") + get("/later"));
  run_until([&] { return later.size() == 2; });
  close_server();
  server->abort();
  EXPECT_EQ(abandoned, 2u);
  run_until([&] { return server_closed && peer.ended; });
}

TEST_F(HttpServerTest, a_peer_that_vanishes_abandons_its_exchanges) {
  serve();
  RawPeer& peer = connect();
  peer.say(get("/later"));
  run_until([&] { return later.size() == 1; });
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer.tcp.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  peer.close();
  run_until([&] { return abandoned == 1 && server->connections() == 0; });
}

TEST_F(HttpServerTest, takes_only_so_many_connections) {
  serve({.connections_max = 2});
  RawPeer& first = connect();
  connect();
  RawPeer& third = connect();
  run_until([&] { return third.ended; });
  first.say(get("/a"));
  run_until([&] { return first.heard == ok("/a"); });
}

}  // namespace
}  // namespace refloop
