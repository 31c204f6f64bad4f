#include "reference-loop/http_parser/message_parser.h"

#include <algorithm>
#include <cstring>

namespace http_parser {

void MessageParser::reset() {
  refusal_ = {};
  begin_message();
}

void MessageParser::begin_message() {
  stage_ = Stage::head;
  framing_ = Framing::none;
  buffer_.clear();
  scanned_ = line_begin_ = remaining_ = 0;
  saw_start_line_ = skipped_empty_line_ = false;
  fields_.places_.clear();
  version_minor_ = 1;
  connection_close_ = connection_keep_alive_ = chunked_ = false;
  content_length_.reset();
  begin_head();
}

bool MessageParser::fail(int status, const char* reason) {
  stage_ = Stage::refused;
  refusal_ = {only_status_ != 0 ? only_status_ : status, reason};
  return false;
}

Progress MessageParser::refuse(int status, const char* reason) {
  fail(status, reason);
  return {Result::refused, true, 0};
}

Progress MessageParser::feed(std::string_view bytes) {
  switch (stage_) {
    case Stage::complete:
      begin_message();
      [[fallthrough]];
    case Stage::head:
      return feed_head(bytes);
    case Stage::body:
      return feed_body(bytes);
    case Stage::refused:
      break;
  }
  return {Result::refused, true, 0};
}

Progress MessageParser::feed_head(std::string_view bytes) {
  const std::size_t held = buffer_.size();
  std::string_view message = bytes;
  if (held > 0) {
    // No further than a head may reach: what lies behind it is not copied.
    buffer_.append(bytes.substr(0, limits_.head_bytes_max + 1 - held));
    message = buffer_;
  }
  if (!read_head(message)) {
    if (stage_ == Stage::refused) return {Result::refused, true, 0};
    if (held == 0) buffer_.assign(bytes);
    return {Result::need_more, false, bytes.size()};
  }
  const std::size_t head_size = line_begin_;
  stage_ = Stage::body;
  fields_.base_ = message.data();
  if (!finish_head(message.substr(0, head_size))) return {Result::refused, true, 0};
  if (framing_ == Framing::chunked) chunks_.begin(limits_.body_bytes_max, limits_.head_bytes_max);
  if (framing_ == Framing::length) remaining_ = *content_length_;
  if (framing_ == Framing::none || (framing_ == Framing::length && remaining_ == 0)) stage_ = Stage::complete;
  return {Result::head, stage_ == Stage::complete, head_size - held};
}

// True once the empty line is reached. Searches each byte once, however the stream is cut.
bool MessageParser::read_head(std::string_view message) {
  while (true) {
    const void* found = std::memchr(message.data() + scanned_, '\n', message.size() - scanned_);
    const std::size_t end =
        found ? static_cast<std::size_t>(static_cast<const char*>(found) - message.data()) + 1
              : message.size();
    if (end > limits_.head_bytes_max) return fail(431, "the message head is larger than the limit");
    scanned_ = end;
    if (!found) return false;
    if (end - line_begin_ < 2 || message[end - 2] != '\r') return fail(400, "a line ends in LF without CR");
    const std::size_t begin = line_begin_;
    line_begin_ = end;
    if (end - begin == 2 && saw_start_line_) return true;
    if (!read_line(message, begin, end - begin - 2)) return false;
  }
}

bool MessageParser::read_line(std::string_view message, std::size_t begin, std::size_t size) {
  const std::string_view line = message.substr(begin, size);
  if (saw_start_line_) return read_field(message, line);
  if (line.empty()) {
    // RFC 9112 2.2: old clients end a body with one empty line.
    if (!skips_empty_line_) return fail(400, "an empty line before the start line");
    if (skipped_empty_line_) return fail(400, "more than one empty line before the request line");
    return skipped_empty_line_ = true;
  }
  saw_start_line_ = true;
  return read_start_line(line, static_cast<std::uint32_t>(begin));
}

bool MessageParser::read_field(std::string_view message, std::string_view line) {
  if (syntax::is_blank(line.front())) return fail(400, "a folded header line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return fail(400, "a header line without a name");
  const std::string_view name = line.substr(0, colon);
  if (!syntax::all_of<syntax::is_token_char>(name)) {
    return fail(400, "a header name that is not a token (a space before the colon, perhaps)");
  }
  const std::string_view value = syntax::trim(line.substr(colon + 1));
  if (!syntax::all_of<syntax::is_value_char>(value)) return fail(400, "a control character in a header");
  if (fields_.size() == limits_.headers_max) return fail(431, "more header fields than the limit");
  const auto slice = [&](std::string_view part) {
    return Slice{static_cast<std::uint32_t>(part.data() - message.data()),
                 static_cast<std::uint32_t>(part.size())};
  };
  fields_.places_.push_back({slice(name), slice(value)});
  return apply_field(name, value);
}

// The few fields that decide framing and connection; dispatched by length, as most fields are not.
bool MessageParser::apply_field(std::string_view name, std::string_view value) {
  using syntax::equal_without_case;
  switch (name.size()) {
    case 10:
      return equal_without_case(name, "connection") ? apply_connection(value) : true;
    case 14:
      return equal_without_case(name, "content-length") ? apply_content_length(value) : true;
    case 17:
      return equal_without_case(name, "transfer-encoding") ? apply_transfer_encoding(value) : true;
    default:
      return apply_other_field(name, value);
  }
}

bool MessageParser::apply_connection(std::string_view value) {
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view option = syntax::trim(rest.substr(0, comma));
    if (syntax::equal_without_case(option, "close")) connection_close_ = true;
    if (syntax::equal_without_case(option, "keep-alive")) connection_keep_alive_ = true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return true;
}

bool MessageParser::apply_content_length(std::string_view value) {
  if (content_length_) return fail(400, "two Content-Length fields");
  if (value.empty()) return fail(400, "an empty Content-Length");
  const std::size_t most = std::min(limits_.body_bytes_max, SIZE_MAX / 16);  // no overflow on the way
  std::size_t length = 0;
  bool too_large = false;
  for (char c : value) {
    if (c < '0' || c > '9') return fail(400, "a Content-Length that is not a plain decimal number");
    // Once too large, keep reading digits without overflowing: "1e9" is 400, not 413.
    too_large = too_large || length > most / 10;
    length = too_large ? 0 : length * 10 + static_cast<std::size_t>(c - '0');
    too_large = too_large || length > most;
  }
  if (too_large) return fail(413, "the body is larger than the limit");
  content_length_ = length;
  return true;
}

bool MessageParser::apply_transfer_encoding(std::string_view value) {
  if (chunked_) return fail(400, "two Transfer-Encoding fields");
  if (!syntax::equal_without_case(value, "chunked")) {
    return fail(501, "a transfer coding other than chunked");
  }
  return chunked_ = true;
}

Progress MessageParser::feed_body(std::string_view bytes) {
  if (framing_ == Framing::chunked) return feed_chunked(bytes);
  if (bytes.empty()) return {Result::need_more, false, 0};
  if (framing_ == Framing::until_end) {
    if (bytes.size() > limits_.body_bytes_max - remaining_) {
      return refuse(413, "the body is larger than the limit");
    }
    remaining_ += bytes.size();  // here: what has been read
    body_ = bytes;
    return {Result::body, false, bytes.size()};
  }
  body_ = bytes.substr(0, remaining_);
  remaining_ -= body_.size();
  if (remaining_ == 0) stage_ = Stage::complete;
  return {Result::body, remaining_ == 0, body_.size()};
}

Progress MessageParser::feed_chunked(std::string_view bytes) {
  std::string_view rest = bytes;
  const ChunkedDecoder::Status status = chunks_.feed(rest, body_);
  const std::size_t consumed = bytes.size() - rest.size();
  switch (status) {
    case ChunkedDecoder::Status::need_more:
      return {Result::need_more, false, consumed};
    case ChunkedDecoder::Status::data:
      return {Result::body, false, consumed};
    case ChunkedDecoder::Status::complete:
      stage_ = Stage::complete;
      return {Result::body, true, consumed};
    case ChunkedDecoder::Status::body_too_large:
      return refuse(413, "the decoded body is larger than the limit");
    case ChunkedDecoder::Status::trailer_too_large:
      return refuse(431, "the trailer section is larger than the limit");
    case ChunkedDecoder::Status::malformed:
      break;
  }
  return refuse(400, "the chunked body is malformed");
}

int version_minor_of(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || std::memcmp(text.data(), "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return -2;
  }
  if (text[5] != '1' || text[7] > '1') return -1;
  return text[7] - '0';
}

}  // namespace http_parser
