#include "reference-loop/http/http_fetch.h"

#include <gtest/gtest.h>

#include "reference-loop/http/http_server.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"
#include "reference-loop/tls/test_certificates.h"

namespace refloop {
namespace {

struct HttpFetchTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  const TestPki& pki = TestPki::instance();
  TlsContext client_context = TlsContext::client(pki.trusting()).value();
  TlsContext server_context = TlsContext::server(pki.server.options()).value();
  HttpServer plain{*loop, {}, answer};
  HttpServer secure{*loop, {.tls = &server_context}, answer};

  static void answer(HttpExchange& exchange, const http_parser::Request& request) {
    http_session::FieldBlock fields;
    (void)fields.add("X-Method", request.method);
    (void)fields.add("X-Host", *request.header("host"));
    exchange.reply(request.path() == "/missing" ? 404 : 200, request.target, &fields);
  }
  void SetUp() override {
    for (HttpServer* server : {&plain, &secure})
      ASSERT_TRUE(server->listen(Address::parse("127.0.0.1", 0).value()));
  }
  std::string origin(const HttpServer& server, const std::string& host) {
    return (&server == &secure ? "https://" : "http://") + host + ":" +
           std::to_string(server.local_address()->port());
  }
  // "status body", or the sentence.
  std::string outcome_of(const std::string& url, HttpFetchOptions options = {}) {
    HttpFetch fetch(*loop);
    Log log;
    fetch.data = &log;
    options.tls = &client_context;
    const auto started = fetch.start(url, std::move(options), [](HttpFetch& done, Error error) {
      static_cast<Log*>(done.data)->push_back(std::string(name_of(error)));
    });
    if (!started) return "refused: " + fetch.failure_reason();
    EXPECT_EQ(log, Log{}) << "never inside the call";
    while (log.empty() && loop->alive()) loop->run(RunMode::once);
    EXPECT_EQ(log.size(), 1u);
    if (log != Log{"OK"}) return log[0] + ": " + fetch.failure_reason();
    return std::to_string(fetch.status()) + " " + fetch.body() + " " +
           std::string(fetch.header("x-method").value_or("-"));
  }
  void TearDown() override {
    plain.abort();
    secure.abort();
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(HttpFetchTest, asks_by_number_and_by_name_plain_and_secure) {
  EXPECT_EQ(outcome_of(origin(plain, "127.0.0.1") + "/a?b"), "200 /a?b GET");
  EXPECT_EQ(outcome_of(origin(secure, "127.0.0.1")), "200 / GET");
  EXPECT_EQ(outcome_of(origin(secure, "localhost") + "/missing"), "404 /missing GET");
  EXPECT_EQ(outcome_of(origin(plain, "127.0.0.1") + "/", {.method = "PUT", .body = "content"}), "200 / PUT");
}

TEST_F(HttpFetchTest, says_what_went_wrong) {
  EXPECT_EQ(outcome_of("nonsense"), "refused: the URL has no scheme");
  const std::string nobody = origin(plain, "127.0.0.1");
  plain.abort();
  EXPECT_EQ(outcome_of(nobody), "ECONNREFUSED: Connection refused");
  EXPECT_EQ(outcome_of(origin(secure, "127.0.0.1").replace(4, 1, "")),
            "ECONNRESET: the connection ended before the answer")
      << "HTTP to a server of HTTPS";
}

}  // namespace
}  // namespace refloop
