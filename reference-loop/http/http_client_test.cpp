#include "reference-loop/http/http_client.h"

#include <gtest/gtest.h>

#include "reference-loop/http/test_http.h"
#include "reference-loop/listener.h"
#include "reference-loop/test_loop.h"

namespace refloop {
namespace {

using namespace std::chrono_literals;

// A server that hears one connection and says what the test tells it.
struct HttpClientTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Listener listener{*loop};
  std::unique_ptr<RawPeer> server = std::make_unique<RawPeer>(*loop);
  std::unique_ptr<LoggingClient> client;

  void SetUp() override {
    listener.data = this;
    ASSERT_TRUE(
        listener.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener& self, Socket socket) {
          auto& test = *static_cast<HttpClientTest*>(self.data);
          ASSERT_TRUE(test.server->tcp.adopt(std::move(socket)));
          test.server->connected = true;
          test.server->read();
        }));
  }
  void open(HttpClientOptions options = {}) {
    client = std::make_unique<LoggingClient>(*loop, std::move(options));
    client->open({listener.local_address().value()});
    run_until([&] { return !client->log.empty() && server->connected; });
    client->log.clear();
  }
  // Asks, lets the server say `answer` in pieces and perhaps end, and returns the log.
  Log exchange(std::string_view answer, bool ends = false, std::size_t piece_size = 1000) {
    EXPECT_TRUE(client->get("/x"));
    run_until([&] { return server->heard.ends_with("\r\n\r\n"); });
    for (std::size_t at = 0; at < answer.size(); at += piece_size) {
      server->say(answer.substr(at, piece_size));
      loop->run(RunMode::nowait);
    }
    if (ends) (void)server->tcp.shutdown(nullptr);
    run_until([&] { return !client->log.empty() && client->log.back().starts_with("done"); });
    return std::exchange(client->log, {});
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void TearDown() override {
    listener.close();
    server->close();
    if (client) client->close();
    EXPECT_FALSE(loop->run());
    EXPECT_TRUE(!client || client->closed);
  }
};

TEST_F(HttpClientTest, asks_and_reads_answers_of_every_framing_in_any_pieces) {
  open();
  for (const std::size_t piece_size : {1u, 1000u}) {
    EXPECT_EQ(exchange("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, piece_size),
              (Log{"200", "done OK"}));
    EXPECT_EQ(client->body, "abc");
    EXPECT_EQ(exchange("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                       false, piece_size),
              (Log{"404", "done OK"}));
    EXPECT_EQ(client->body, "abc");
    EXPECT_TRUE(client->http.is_reusable());
  }
  EXPECT_TRUE(server->heard.starts_with("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")) << server->heard;
  EXPECT_EQ(exchange("HTTP/1.1 200 OK\r\n\r\nuntil the end", true), (Log{"200", "done OK"}));
  EXPECT_EQ(client->body, "until the end");
  EXPECT_FALSE(client->http.is_reusable());
  EXPECT_EQ(client->get("/x").error(), Error::not_connected);
}

TEST_F(HttpClientTest, an_answer_that_is_cut_off_or_nonsense_is_an_error_with_its_sentence) {
  open();
  EXPECT_EQ(exchange("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true),
            (Log{"200", "done ECONNRESET"}));
  EXPECT_EQ(client->http.failure_reason(), "the connection ended amid the answer");
}

TEST_F(HttpClientTest, nonsense_is_an_error_with_its_sentence) {
  open();
  EXPECT_EQ(exchange("SSH-2.0-OpenSSH_9.2\r\n"), Log{"done EPROTO"});
  EXPECT_EQ(client->http.failure_reason(), "the status line is not: version, space, status");
  EXPECT_FALSE(client->http.is_reusable());
}

TEST_F(HttpClientTest, a_server_that_ends_before_answering_is_an_error) {
  open();
  EXPECT_EQ(exchange("", true), Log{"done ECONNRESET"});
  EXPECT_EQ(client->http.failure_reason(), "the connection ended before the answer");
}

TEST_F(HttpClientTest, bytes_nobody_asked_for_end_the_reuse) {
  open();
  EXPECT_EQ(exchange("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), (Log{"204", "done OK"}));
  EXPECT_FALSE(client->http.is_reusable());
}

TEST_F(HttpClientTest, a_server_that_pauses_too_long_is_given_up) {
  open({.idle_timeout = 1ms});
  EXPECT_EQ(exchange("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na").back(), "done ETIMEDOUT");
  EXPECT_EQ(client->http.failure_reason(), "the server paused for too long");
}

TEST_F(HttpClientTest, endless_interim_responses_are_refused) {
  open();
  std::string endless;
  for (int i = 0; i < 33; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(exchange(endless), Log{"done EPROTO"});
}

TEST_F(HttpClientTest, a_request_cannot_be_split) {
  open();
  EXPECT_EQ(client->ask({.target = "/a\r\nX: y", .host = "h"}).error(), Error::bad_state);
  EXPECT_EQ(client->ask({.target = "/a b", .host = "h"}).error(), Error::bad_state);
  EXPECT_EQ(client->ask({.method = "GET /", .host = "h"}).error(), Error::bad_state);
  EXPECT_EQ(client->ask({.host = "h\r\n"}).error(), Error::bad_state);
  EXPECT_EQ(client->ask({.host = ""}).error(), Error::bad_state);
  EXPECT_EQ(exchange("HTTP/1.1 204 No Content\r\n\r\n"), (Log{"204", "done OK"}))
      << "nothing was sent of them";
}

TEST_F(HttpClientTest, sends_bodies_by_length_and_in_chunks) {
  open();
  ASSERT_TRUE(client->ask({.method = "POST", .host = "h", .content_length = 5}));
  EXPECT_EQ(client->ask({.host = "h"}).error(), Error::busy);
  ASSERT_TRUE(client->http.write("abc"));
  EXPECT_EQ(client->http.write("def").error(), Error::bad_state) << "more than was announced";
  EXPECT_EQ(client->http.end().error(), Error::bad_state) << "less than was announced";
  ASSERT_TRUE(client->http.write("de"));
  run_until([&] { return server->heard.ends_with("abcde"); });
  server->say("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return client->log.size() == 2; });
  ASSERT_TRUE(client->ask({.method = "POST", .host = "h", .chunked = true}));
  ASSERT_TRUE(client->http.write("abcdefghijklmnopq"));
  ASSERT_TRUE(client->http.end());
  run_until([&] { return server->heard.ends_with("\r\n\r\n11\r\nabcdefghijklmnopq\r\n0\r\n\r\n"); });
}

TEST_F(HttpClientTest, an_answer_before_the_end_of_the_question_ends_the_reuse) {
  open();
  ASSERT_TRUE(client->ask({.method = "POST", .host = "h", .content_length = 5}));
  server->say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return client->log.size() == 2; });
  EXPECT_EQ(client->log, (Log{"413", "done OK"}));
  EXPECT_FALSE(client->http.is_reusable());
}

TEST_F(HttpClientTest, addresses_are_tried_in_order) {
  Listener closed(*loop);
  ASSERT_TRUE(closed.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener&, Socket) {}));
  const Address nobody = closed.local_address().value();
  closed.close();
  loop->run(RunMode::nowait);
  LoggingClient second(*loop, {}), none(*loop, {});
  second.open({nobody, nobody, listener.local_address().value()});
  none.open({nobody, nobody});
  EXPECT_TRUE(second.log.empty() && none.log.empty());
  run_until([&] { return !second.log.empty() && !none.log.empty(); });
  EXPECT_EQ(second.log, Log{"open OK"});
  EXPECT_EQ(none.log, Log{"open ECONNREFUSED"});
  EXPECT_EQ(none.http.failure_reason(), "Connection refused");
  second.close();
  none.close();
  run_until([&] { return second.closed && none.closed; });
}

TEST_F(HttpClientTest, closing_cancels_what_is_under_way) {
  open();
  ASSERT_TRUE(client->get("/x"));
  client->close();
  EXPECT_EQ(client->log, Log{});
  run_until([&] { return client->closed; });
  EXPECT_EQ(client->log, Log{"done ECANCELED"});
}

TEST_F(HttpClientTest, closing_from_any_callback) {
  for (const char* when : {"open", "body", "done"}) {
    server->close();
    loop->run(RunMode::nowait);
    server = std::make_unique<RawPeer>(*loop);
    LoggingClient closer(*loop, {});
    const auto close = [&] { closer.close(); };
    if (std::string_view(when) == "open") closer.on_open = close;
    if (std::string_view(when) == "body") closer.on_body = close;
    if (std::string_view(when) == "done") closer.on_done = close;
    closer.open({listener.local_address().value()});
    run_until([&] { return closer.log.size() == 1 && server->connected; });
    if (!closer.closing) (void)closer.get("/x");
    server->say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef");
    run_until([&] { return closer.closed; });
  }
}

}  // namespace
}  // namespace refloop
