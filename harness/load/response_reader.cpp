#include "harness/load/response_reader.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <fmt/core.h>

namespace tickmark::load {
namespace {

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y;
         });
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(),
                                   [](char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; });
}

/// All characters must be digits of the base; at most 15 of them, so that nothing overflows.
bool parse_number(std::string_view s, unsigned base, uint64_t& out) {
  if (s.empty() || s.size() > 15) return false;
  uint64_t value = 0;
  for (char c : s) {
    unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                            : 99;
    if (digit >= base) return false;
    value = value * base + digit;
  }
  out = value;
  return true;
}

bool lists(std::string_view value, std::string_view lower_token) {
  while (!value.empty()) {
    size_t comma = value.find(',');
    if (equals_ignoring_case(trimmed(value.substr(0, comma)), lower_token)) return true;
    if (comma == std::string_view::npos) return false;
    value.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

ResponseReader::Step ResponseReader::feed(std::string_view bytes, const ExpectedReply& expected) {
  assert(!broken_ && "after kBroken the connection is lost; reset() before the next one");
  size_t at = 0;
  complete_ = false;
  if (state_ == State::kStatusLine && head_bytes_ == 0 && line_.empty()) fault_ = Fault::kNone;
  while (at < bytes.size() && !complete_) {
    if (!step(bytes, at, expected)) return {Outcome::kBroken, at};
  }
  if (!complete_) return {Outcome::kMore, at};
  return {finish(expected), at};
}

void ResponseReader::reset() { *this = ResponseReader(); }

/// One line or one run of body bytes. False: broken.
bool ResponseReader::step(std::string_view bytes, size_t& at, const ExpectedReply& expected) {
  std::string_view line;
  switch (state_) {
    case State::kStatusLine:
    case State::kHeader:
    case State::kTrailer:
    case State::kChunkSize:
    case State::kChunkEnd:
      if (!take_line(bytes, at, line)) return !broken_;
      break;
    case State::kBody:
    case State::kChunkData: {
      size_t take = static_cast<size_t>(std::min<uint64_t>(bytes.size() - at, length_));
      on_body(bytes.substr(at, take), expected);
      if (broken_) return false;
      at += take;
      length_ -= take;
      if (length_ == 0) {
        if (state_ == State::kBody)
          complete_ = true;
        else
          state_ = State::kChunkEnd;
      }
      return true;
    }
  }
  bool good = true;
  if (state_ == State::kStatusLine) {
    good = on_status_line(line);
  } else if (state_ == State::kHeader) {
    good = line.empty() ? on_head_end(expected) : on_header(line);
  } else if (state_ == State::kChunkSize) {
    good = on_chunk_size(line);
  } else if (state_ == State::kChunkEnd) {
    good = line.empty() || broken(Fault::kChunk);
    state_ = State::kChunkSize;
  } else if (line.empty()) {
    complete_ = true;  // the end of the trailers
  }
  line_.clear();
  return good;
}

/// Hands out the line without its CRLF once it is complete; it lives until line_ or `bytes` change.
bool ResponseReader::take_line(std::string_view bytes, size_t& at, std::string_view& line) {
  const char* from = bytes.data() + at;
  size_t left = bytes.size() - at;
  const void* end = std::memchr(from, '\n', left);
  size_t take = end ? static_cast<size_t>(static_cast<const char*>(end) - from) + 1 : left;
  head_bytes_ += take;
  if (head_bytes_ > kHeadBytesMax) return broken(Fault::kHeadTooLong);
  at += take;
  if (!end || !line_.empty()) line_.append(from, take);
  if (!end) return false;
  line = line_.empty() ? std::string_view(from, take) : std::string_view(line_);
  if (line.size() < 2 || line[line.size() - 2] != '\r') {
    return broken(state_ == State::kStatusLine ? Fault::kStatusLine : Fault::kHeaderLine);
  }
  line.remove_suffix(2);
  return true;
}

bool ResponseReader::on_status_line(std::string_view line) {
  // HTTP/1.1 200 OK; the reason may be empty, its space may not be missing (RFC 9112, 4), but common
  // servers omit it and nothing depends on it.
  uint64_t status = 0;
  bool http1 = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!http1 || line.size() < 12 || (line.size() > 12 && line[12] != ' ') ||
      !parse_number(line.substr(9, 3), 10, status) || status < 100) {
    return broken(Fault::kStatusLine);
  }
  status_ = static_cast<int>(status);
  keeps_open_ = line[7] == '1';
  has_length_ = chunked_ = false;
  length_ = body_bytes_ = 0;
  state_ = State::kHeader;
  return true;
}

bool ResponseReader::on_header(std::string_view line) {
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return broken(Fault::kHeaderLine);
  std::string_view name = line.substr(0, colon);
  std::string_view value = trimmed(line.substr(colon + 1));
  if (name.size() == 14 && equals_ignoring_case(name, "content-length")) {
    uint64_t length = 0;
    if (!parse_number(value, 10, length)) return broken(Fault::kLength);
    if (has_length_ && length != length_) return broken(Fault::kTwoLengths);
    has_length_ = true;
    length_ = length;
  } else if (name.size() == 17 && equals_ignoring_case(name, "transfer-encoding")) {
    if (!equals_ignoring_case(value, "chunked")) return broken(Fault::kCoding);
    chunked_ = true;
  } else if (name.size() == 10 && equals_ignoring_case(name, "connection")) {
    if (lists(value, "close")) keeps_open_ = false;
    if (lists(value, "keep-alive")) keeps_open_ = true;
  }
  return true;
}

bool ResponseReader::on_head_end(const ExpectedReply& expected) {
  if (status_ < 200) {  // an interim reply (100 Continue, 103): the real one follows
    state_ = State::kStatusLine;
    return true;
  }
  if (chunked_ && has_length_) return broken(Fault::kTwoLengths);
  head_bytes_done_ = head_bytes_;
  bool bodiless = expected.head_only || status_ == 204 || status_ == 304;
  if (bodiless || (has_length_ && length_ == 0)) {
    complete_ = true;
    return true;
  }
  if (!chunked_ && !has_length_) return broken(Fault::kNoLength);
  state_ = chunked_ ? State::kChunkSize : State::kBody;
  return true;
}

bool ResponseReader::on_chunk_size(std::string_view line) {
  head_bytes_ = 1;  // the limit is per line from here on; > 0 keeps in_reply() true
  std::string_view size = line.substr(0, line.find(';'));
  if (!parse_number(trimmed(size), 16, length_)) return broken(Fault::kChunk);
  state_ = length_ == 0 ? State::kTrailer : State::kChunkData;
  return true;
}

void ResponseReader::on_body(std::string_view piece, const ExpectedReply& expected) {
  uint64_t at = body_bytes_;
  body_bytes_ += piece.size();
  if (expected.collect) {
    if (body_bytes_ > kCollectBytesMax)
      broken(Fault::kTooLarge);
    else
      expected.collect->append(piece);
    return;
  }
  if (fault_ != Fault::kNone || status_ != expected.status) return;  // one difference is enough
  size_t known = at < expected.body.size() ? std::min(piece.size(), expected.body.size() - at) : 0;
  const char* correct = expected.body.data() + at;
  if (known > 0 && std::memcmp(piece.data(), correct, known) != 0) {
    size_t i = static_cast<size_t>(std::mismatch(piece.begin(), piece.begin() + known, correct).first -
                                   piece.begin());
    differ(Fault::kBodyByte, at + i);
  } else if (known < piece.size()) {
    differ(Fault::kBodyLong, expected.body.size());
  }
}

ResponseReader::Outcome ResponseReader::finish(const ExpectedReply& expected) {
  state_ = State::kStatusLine;
  head_bytes_ = 0;
  if (expected.collect) return Outcome::kCorrect;
  if (status_ != expected.status) {
    fault_ = Fault::kStatus;
    status_expected_ = expected.status;
  } else if (fault_ == Fault::kNone && !expected.head_only && body_bytes_ < expected.body.size()) {
    differ(Fault::kBodyShort, body_bytes_);
    fault_expected_ = expected.body.size();
  }
  return fault_ == Fault::kNone ? Outcome::kCorrect : Outcome::kWrong;
}

void ResponseReader::differ(Fault fault, uint64_t at) {
  fault_ = fault;
  fault_at_ = at;
}

bool ResponseReader::broken(Fault fault) {
  fault_ = fault;
  broken_ = true;
  return false;
}

std::string ResponseReader::fault() const {
  switch (fault_) {
    case Fault::kNone:
      return "";
    case Fault::kHeadTooLong:
      return fmt::format("the reply's head exceeds {} bytes", kHeadBytesMax);
    case Fault::kStatusLine:
      return "the reply does not begin with an HTTP/1.1 status line";
    case Fault::kHeaderLine:
      return "a line of the reply's head is no header ending in CRLF";
    case Fault::kLength:
      return "Content-Length is no number";
    case Fault::kTwoLengths:
      return "the reply states two different lengths";
    case Fault::kNoLength:
      return "the reply has neither Content-Length nor chunks";
    case Fault::kCoding:
      return "the reply has a Transfer-Encoding other than chunked";
    case Fault::kChunk:
      return "a chunk of the reply is malformed";
    case Fault::kTooLarge:
      return fmt::format("the body exceeds {} bytes", kCollectBytesMax);
    case Fault::kStatus:
      return fmt::format("expected status {}, saw {}", status_expected_, status_);
    case Fault::kBodyByte:
      return fmt::format("the body differs from the expected one at byte {}", fault_at_);
    case Fault::kBodyShort:
      return fmt::format("expected a body of {} bytes, saw {}", fault_expected_, fault_at_);
    case Fault::kBodyLong:
      return fmt::format("the body is longer than the expected {} bytes", fault_at_);
  }
  return "";
}

}  // namespace tickmark::load
