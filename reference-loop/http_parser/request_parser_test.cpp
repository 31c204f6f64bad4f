#include "reference-loop/http_parser/request_parser.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace http_parser::request_parser_test {
namespace {

constexpr Limits kSmall{.head_bytes_max = 256, .headers_max = 4, .body_bytes_max = 32};

// Everything a stream of bytes means: one line per request, and the refusal that ended it, if any.
std::vector<std::string> outcome_of(std::string_view bytes, std::size_t piece_size, Limits limits = kSmall) {
  RequestParser parser(limits);
  std::vector<std::string> outcome;
  std::string line;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, piece_size));  // own memory: ASan sees a view kept too long
    const auto [result, last, consumed] = parser.feed(piece);
    bytes.remove_prefix(consumed);
    if (result == Result::head) {
      const Request& request = parser.request();
      line = std::string(request.method) + " " + std::string(request.target);
      line += request.keep_alive ? " keep" : " close";
      for (std::size_t i = 0; i < request.fields->size(); ++i) {
        const Header header = (*request.fields)[i];
        line += " " + std::string(header.name) + "=" + std::string(header.value);
      }
      line += " [";
    }
    if (result == Result::body) line += parser.body();
    if (result == Result::refused) {
      outcome.push_back(std::to_string(parser.refusal().status));
      return outcome;
    }
    if (last) outcome.push_back(line + "]");
  }
  if (!parser.idle()) outcome.push_back("incomplete");
  return outcome;
}

// The heart of the contract: however the stream is cut, the meaning is `expected`.
void expect_outcome(std::string_view bytes, const std::vector<std::string>& expected,
                    Limits limits = kSmall) {
  for (std::size_t piece_size = 1; piece_size <= bytes.size(); ++piece_size) {
    EXPECT_EQ(outcome_of(bytes, piece_size, limits), expected) << "cut every " << piece_size << " bytes";
  }
}

TEST(RequestParser, reads_a_request_without_body) {
  expect_outcome("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", {"GET /hello keep Host=a []"});
}

TEST(RequestParser, reads_pipelined_requests_one_by_one) {
  expect_outcome(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
      {"GET /1 keep Host=a []", "POST /2 keep Host=a Content-Length=3 [abc]", "GET /3 keep Host=a []"});
}

TEST(RequestParser, decodes_chunks_extensions_and_trailers) {
  expect_outcome(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nChecksum: 1\r\n\r\n"
      "GET /next HTTP/1.1\r\nHost: a\r\n\r\n",
      {"POST / keep Host=a Transfer-Encoding=chunked [abc0123456789]", "GET /next keep Host=a []"});
}

TEST(RequestParser, neither_head_nor_body_is_copied_where_the_head_arrives_whole) {
  const std::string bytes = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
  RequestParser parser;
  const Progress head = parser.feed(bytes);
  ASSERT_EQ(head.result, Result::head);
  EXPECT_EQ(parser.request().method.data(), bytes.data());
  const std::string_view rest = std::string_view(bytes).substr(head.consumed);
  const Progress body = parser.feed(rest);
  ASSERT_EQ(body.result, Result::body);
  EXPECT_TRUE(body.last);
  EXPECT_EQ(parser.body().data(), rest.data());
}

TEST(RequestParser, keep_alive_follows_version_and_connection_field) {
  expect_outcome("GET / HTTP/1.0\r\n\r\n", {"GET / close []"});
  expect_outcome("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {"GET / keep Connection=keep-alive []"});
  expect_outcome("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
                 {"GET / close Host=a Connection=x, Close []"});
}

TEST(RequestParser, splits_path_and_query) {
  RequestParser parser;
  ASSERT_EQ(parser.feed("GET /fs/read?file=a?b HTTP/1.1\r\nHost: a\r\n\r\n").result, Result::head);
  EXPECT_EQ(parser.request().path(), "/fs/read");
  EXPECT_EQ(parser.request().query(), "file=a?b");
  EXPECT_EQ(parser.request().header("hOsT"), "a");
  EXPECT_EQ(parser.request().header("Accept"), std::nullopt);
  ASSERT_EQ(parser.feed("GET http://h:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n").result, Result::head);
  EXPECT_EQ(parser.request().path(), "/p");
  ASSERT_EQ(parser.feed("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").result, Result::head);
  EXPECT_EQ(parser.request().path(), "/");
}

TEST(RequestParser, says_when_the_client_waits_for_100_continue) {
  const auto expects = [](std::string_view head) {
    RequestParser parser;
    EXPECT_EQ(parser.feed(head).result, Result::head);
    return parser.request().expects_continue;
  };
  EXPECT_TRUE(expects("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")) << "no body";
  EXPECT_FALSE(expects("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  expect_outcome("PUT / HTTP/1.1\r\nHost: a\r\nExpect: a coffee\r\n\r\n", {"417"});
}

TEST(RequestParser, ignores_one_empty_line_before_a_request_but_not_two) {
  expect_outcome("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {"GET / keep Host=a []"});
  expect_outcome("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {"400"});
}

TEST(RequestParser, an_unfinished_request_is_reported_as_not_idle) {
  expect_outcome("GET / HTTP/1.1\r\nHost", {"incomplete"});
  expect_outcome("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", {"incomplete"});
}

TEST(RequestParser, refuses_what_smuggles_requests) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  expect_outcome(head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {"400"});
  expect_outcome(head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", {"400"});
  expect_outcome(head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", {"400"});
  expect_outcome(head + "Content-Length: 3, 3\r\n\r\nabc", {"400"});
  expect_outcome(head + "Content-Length: +3\r\n\r\nabc", {"400"});
  expect_outcome(head + "Content-Length: 0x3\r\n\r\nabc", {"400"});
  expect_outcome(head + "Content-Length:\r\n\r\n", {"400"});
  expect_outcome(head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", {"400"});
  expect_outcome("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {"400"});
  expect_outcome(head + "Transfer-Encoding: gzip, chunked\r\n\r\n", {"501"});
}

TEST(RequestParser, refuses_bad_chunk_framing) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body : {"\r\n", "g\r\n", "0x3\r\nabc\r\n", " 3\r\nabc\r\n", "3 \r\nabc\r\n", "-1\r\n",
                           "3\nabc\r\n", "3\r\nabcd\r\n", "3\r\nabc\n", "0000000000000003\r\n", "3;a\n\r\n",
                           "3\rx", "0\r\nbad trailer\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\n\n"}) {
    expect_outcome(head + body, {"400"});
  }
}

TEST(RequestParser, refuses_malformed_heads) {
  for (const char* head :
       {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    expect_outcome(head, {"400"});
  }
  using namespace std::string_view_literals;
  expect_outcome("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"sv, {"400"});
}

TEST(RequestParser, refuses_other_versions_and_endless_methods) {
  expect_outcome("GET / HTTP/2.0\r\nHost: a\r\n\r\n", {"505"});
  expect_outcome("GET / HTTP/1.2\r\nHost: a\r\n\r\n", {"505"});
  expect_outcome(std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", {"501"});
}

TEST(RequestParser, enforces_its_limits_exactly) {
  const std::string line = "GET / HTTP/1.1\r\nHost: a\r\n";
  const auto padded = [&](std::size_t total) {  // a head of exactly that many bytes
    return line + "X: " + std::string(total - line.size() - 7, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(outcome_of(padded(256), 1000).size(), 1u);
  EXPECT_NE(outcome_of(padded(256), 1000)[0], "431");
  expect_outcome(padded(257), {"431"});
  expect_outcome("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n",
                 {"GET / keep Host=a A=1 B=1 C=1 []"});
  expect_outcome("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", {"431"});
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  expect_outcome(post + "Content-Length: 32\r\n\r\n" + std::string(32, 'b'),
                 {"POST / keep Host=a Content-Length=32 [" + std::string(32, 'b') + "]"});
  expect_outcome(post + "Content-Length: 33\r\n\r\n", {"413"});
  expect_outcome(post + "Content-Length: 99999999999999999999999999\r\n\r\n", {"413"});
  expect_outcome(post + "Transfer-Encoding: chunked\r\n\r\n20\r\n" + std::string(32, 'b') + "\r\n1\r\nb\r\n",
                 {"413"});
  expect_outcome(post + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(300, 'x') + "\r\n\r\n",
                 {"431"});
}

TEST(RequestParser, reset_forgets_a_refusal) {
  RequestParser parser;
  EXPECT_EQ(parser.feed("\n").result, Result::refused);
  EXPECT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").result, Result::refused) << "refusals are final";
  parser.reset();
  EXPECT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").result, Result::head);
}

}  // namespace
}  // namespace http_parser::request_parser_test
