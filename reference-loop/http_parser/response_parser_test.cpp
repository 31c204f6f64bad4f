#include "reference-loop/http_parser/response_parser.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace http_parser::response_parser_test {
namespace {

constexpr Limits kSmall{.head_bytes_max = 256, .headers_max = 4, .body_bytes_max = 32};

// One line per response, and how the stream ended: "cut" where the last one is not complete.
std::vector<std::string> outcome_of(std::string_view bytes, std::size_t piece_size, bool head_request) {
  ResponseParser parser(kSmall);
  std::vector<std::string> outcome;
  std::string line;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, piece_size));
    parser.expect(head_request);
    const auto [result, last, consumed] = parser.feed(piece);
    bytes.remove_prefix(consumed);
    if (result == Result::head) {
      const Response& response = parser.response();
      line = std::to_string(response.status) + " " + std::string(response.reason);
      line += response.interim ? " interim [" : response.keep_alive ? " keep [" : " close [";
    }
    if (result == Result::body) line += parser.body();
    if (result == Result::refused) {
      EXPECT_EQ(parser.refusal().status, 502);
      outcome.push_back("refused");
      return outcome;
    }
    if (last) outcome.push_back(line + "]");
  }
  const bool was_idle = parser.idle();
  const bool complete = parser.end_of_input();
  if (!was_idle) outcome.push_back(complete ? line + "] at the end" : "cut");
  return outcome;
}

void expect_outcome(std::string_view bytes, const std::vector<std::string>& expected,
                    bool head_request = false) {
  for (std::size_t piece_size = 1; piece_size <= bytes.size(); ++piece_size) {
    EXPECT_EQ(outcome_of(bytes, piece_size, head_request), expected)
        << bytes << "cut every " << piece_size << " bytes";
  }
}

TEST(ResponseParser, reads_bodies_of_known_length_one_after_the_other) {
  expect_outcome(
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      {"200 OK keep [abc]", "404 Not Found keep []"});
}

TEST(ResponseParser, decodes_chunks) {
  expect_outcome(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n",
      {"200 OK keep [abcde]"});
}

TEST(ResponseParser, a_body_without_length_lasts_until_the_end) {
  expect_outcome("HTTP/1.1 200 OK\r\n\r\nabc", {"200 OK close [abc] at the end"});
  expect_outcome("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", {"200 OK close [] at the end"});
}

TEST(ResponseParser, every_other_body_that_ends_early_was_cut_off) {
  expect_outcome("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", {"cut"});
  expect_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", {"cut"});
  expect_outcome("HTTP/1.1 200 OK\r\nContent-Le", {"cut"});
}

TEST(ResponseParser, interim_responses_come_before_the_answer) {
  expect_outcome(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
      {"100 Continue interim []", "103 Early Hints interim []", "200 OK keep [x]"});
}

TEST(ResponseParser, some_responses_have_no_body_whatever_their_fields_say) {
  expect_outcome("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", {"204 No Content keep []"});
  expect_outcome("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", {"304 Not Modified keep []"});
  expect_outcome("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", {"200 OK keep []"}, true);
  expect_outcome("HTTP/1.1 200 OK\r\n\r\n", {"200 OK keep []"}, true);
}

TEST(ResponseParser, a_connection_is_kept_as_version_and_field_say) {
  expect_outcome("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", {"200 OK close []"});
  expect_outcome("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", {"200 OK close []"});
  expect_outcome("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
                 {"200 OK keep []"});
}

TEST(ResponseParser, a_reason_may_be_empty_or_missing) {
  expect_outcome("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", {"200  keep []"});
  expect_outcome("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", {"200  keep []"});
}

TEST(ResponseParser, refuses_what_could_be_read_in_two_ways) {
  const std::string line = "HTTP/1.1 200 OK\r\n";
  expect_outcome(line + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", {"refused"});
  expect_outcome(line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", {"refused"});
  expect_outcome(line + "Transfer-Encoding: gzip\r\n\r\n", {"refused"});
  expect_outcome(line + "Content-Length: 33\r\n\r\n", {"refused"});
  expect_outcome(line + "Content-Length: -1\r\n\r\n", {"refused"});
  expect_outcome(line + " folded\r\n\r\n", {"refused"});
  expect_outcome("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {"refused"});
  for (const char* head :
       {"HTTP/1.1 200 OK\n\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n"}) {
    expect_outcome(head, {"refused"});
  }
}

TEST(ResponseParser, a_body_without_length_is_limited_too) {
  const std::string body(33, 'x');
  expect_outcome("HTTP/1.1 200 OK\r\n\r\n" + body, {"refused"});
}

}  // namespace
}  // namespace http_parser::response_parser_test
