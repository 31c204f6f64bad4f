// The reader alone: what it accepts, what it refuses, and that pieces never matter.
#include "harness/load/response_reader.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace tickmark::load {
namespace {

using Outcome = ResponseReader::Outcome;

struct Read {
  Outcome outcome = Outcome::kMore;
  std::string fault;
  size_t consumed = 0;
};

/// Feeds `bytes` in pieces of `piece` until the reply ends.
Read read(std::string_view bytes, const ExpectedReply& expected, size_t piece) {
  ResponseReader reader;
  Read out;
  while (out.consumed < bytes.size() && out.outcome == Outcome::kMore) {
    auto step = reader.feed(bytes.substr(out.consumed, piece), expected);
    out.consumed += step.consumed;
    out.outcome = step.outcome;
  }
  out.fault = reader.fault();
  return out;
}

struct Case {
  std::string name, bytes;
  Outcome outcome;
  std::string fault;  // a part of it
  bool head_only = false;
};

std::vector<Case> cases() {
  return {
      {"plain", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright", Outcome::kCorrect, ""},
      {"no reason", "HTTP/1.1 200\r\ncontent-length:5 \r\n\r\nright", Outcome::kCorrect, ""},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nri\r\n3;x=y\r\nght\r\n0\r\n\r\n",
       Outcome::kCorrect, ""},
      {"chunked with a trailer",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n0\r\nX: y\r\n\r\n",
       Outcome::kCorrect, ""},
      {"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright",
       Outcome::kCorrect, ""},
      {"head only", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Outcome::kCorrect, "", true},
      {"equal lengths twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nright",
       Outcome::kCorrect, ""},
      {"wrong byte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrigHt", Outcome::kWrong, "at byte 3"},
      {"too short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrigh", Outcome::kWrong, "5 bytes, saw 4"},
      {"too long", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nrighty", Outcome::kWrong, "longer than"},
      {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Outcome::kWrong, "5 bytes, saw 0"},
      {"status", "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nright", Outcome::kWrong,
       "expected status 200, saw 500"},
      {"other protocol", "SSH-2.0-x\r\n", Outcome::kBroken, "status line"},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 5\n\nright", Outcome::kBroken, "status line"},
      {"bare LF later", "HTTP/1.1 200 OK\r\nContent-Length: 5\n\nright", Outcome::kBroken, "no header"},
      {"folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", Outcome::kBroken, "no header"},
      {"space before colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", Outcome::kBroken, "no header"},
      {"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", Outcome::kBroken, "no number"},
      {"huge length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", Outcome::kBroken,
       "no number"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", Outcome::kBroken,
       "two different lengths"},
      {"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       Outcome::kBroken, "two different lengths"},
      {"no length", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nright", Outcome::kBroken, "neither"},
      {"gzip coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Outcome::kBroken,
       "other than"},
      {"bad chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Outcome::kBroken,
       "chunk"},
      {"bad chunk end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nriXX\r\n",
       Outcome::kBroken, "chunk"},
      {"endless head", "HTTP/1.1 200 OK\r\nX: " + std::string(ResponseReader::kHeadBytesMax, 'x'),
       Outcome::kBroken, "exceeds"},
      {"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrig", Outcome::kMore, ""},
  };
}

TEST(ResponseReader, JudgesEachReplyTheSameInAnyPieces) {
  for (const Case& c : cases()) {
    ExpectedReply expected{.status = 200, .body = "right", .head_only = c.head_only};
    for (size_t piece : {c.bytes.size(), size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
      Read got = read(c.bytes, expected, piece);
      EXPECT_EQ(static_cast<int>(got.outcome), static_cast<int>(c.outcome))
          << c.name << " in pieces of " << piece;
      EXPECT_NE(got.fault.find(c.fault), std::string::npos) << c.name << ": " << got.fault;
      EXPECT_EQ(got.fault.empty(), c.fault.empty()) << c.name << ": " << got.fault;
    }
  }
}

TEST(ResponseReader, StopsAtTheEndOfItsReply) {
  std::string one = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
  ResponseReader reader;
  ExpectedReply expected{.body = "ab"};
  std::string two = one + one;
  auto first = reader.feed(two, expected);
  EXPECT_EQ(first.outcome, Outcome::kCorrect);
  EXPECT_EQ(first.consumed, one.size());
  EXPECT_FALSE(reader.in_reply());
  EXPECT_EQ(reader.head_bytes(), one.size() - 2);
  EXPECT_EQ(reader.feed(std::string_view(two).substr(one.size()), expected).outcome, Outcome::kCorrect);
}

TEST(ResponseReader, IsReadyForTheNextReplyAfterAWrongOne) {
  ResponseReader reader;
  ExpectedReply expected{.body = "ab"};
  EXPECT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx", expected).outcome, Outcome::kWrong);
  EXPECT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", expected).outcome,
            Outcome::kCorrect);
  EXPECT_EQ(reader.fault(), "");
}

TEST(ResponseReader, KnowsWhoWillClose) {
  ResponseReader reader;
  ExpectedReply expected{.body = ""};
  reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", expected);
  EXPECT_TRUE(reader.keeps_open());
  reader.feed("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", expected);
  EXPECT_FALSE(reader.keeps_open());
  reader.feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", expected);
  EXPECT_FALSE(reader.keeps_open());
}

}  // namespace
}  // namespace tickmark::load
