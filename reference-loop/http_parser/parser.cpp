#include "reference-loop/http_parser/parser.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "reference-loop/http_parser/syntax.h"

namespace http_parser {

void RequestParser::reset() {
  refusal_ = {};
  begin_message();
}

const Request& RequestParser::request() const {
  assert(stage_ == Stage::complete && "no request is complete");
  return request_;
}

const Refusal& RequestParser::refusal() const {
  assert(stage_ == Stage::refused && "nothing was refused");
  return refusal_;
}

void RequestParser::begin_message() {
  stage_ = Stage::head;
  buffer_.clear();
  scanned_ = line_begin_ = head_size_ = 0;
  saw_request_line_ = skipped_empty_line_ = false;
  fields_.clear();
  version_minor_ = 1;
  connection_close_ = connection_keep_alive_ = expects_continue_ = has_host_ = chunked_ = false;
  content_length_.reset();
}

// Remembers the refusal; `return fail(...)` reads well in the readers, which answer false for "stop".
bool RequestParser::fail(int status, const char* reason) {
  stage_ = Stage::refused;
  refusal_ = {status, reason};
  return false;
}

Progress RequestParser::refuse(int status, const char* reason) {
  fail(status, reason);
  return {Result::refused, 0};
}

Progress RequestParser::feed(std::string_view bytes) {
  if (stage_ == Stage::refused) return {Result::refused, 0};
  if (stage_ == Stage::complete) begin_message();
  if (stage_ == Stage::body) return read_body(bytes, 0);

  const std::size_t held = buffer_.size();
  if (held > 0) buffer_.append(bytes);
  const std::string_view message = held > 0 ? std::string_view(buffer_) : bytes;
  if (!read_head(message)) {
    if (stage_ == Stage::refused) return {Result::refused, 0};
    if (held == 0) buffer_.assign(bytes);
    return {Result::need_more, bytes.size()};
  }
  stage_ = Stage::body;
  // Bytes behind the head go back to the input: they are the body, or the next request.
  if (held > 0) buffer_.resize(head_size_);
  return read_body(bytes, head_size_ - held);
}

// True once the empty line is reached. Searches each byte once, however the stream is cut.
bool RequestParser::read_head(std::string_view message) {
  while (true) {
    const char* found =
        static_cast<const char*>(std::memchr(message.data() + scanned_, '\n', message.size() - scanned_));
    const std::size_t end = found ? static_cast<std::size_t>(found - message.data()) + 1 : message.size();
    if (end > limits_.head_bytes_max) return fail(431, "the request head is larger than the limit");
    scanned_ = end;
    if (!found) return false;
    if (end - line_begin_ < 2 || message[end - 2] != '\r') {
      return fail(400, "a line ends in LF without CR");
    }
    const Slice line{line_begin_, end - line_begin_ - 2};
    line_begin_ = end;
    if (line.size == 0 && saw_request_line_) {
      head_size_ = end;
      return finish_head();
    }
    if (!read_line(message, line)) return false;
  }
}

bool RequestParser::read_line(std::string_view message, Slice line) {
  if (saw_request_line_) return read_field(message, line);
  if (line.size == 0) {
    // RFC 9112 2.2: one empty line before a request is to be ignored (old clients end bodies with it).
    if (skipped_empty_line_) return fail(400, "more than one empty line before the request line");
    skipped_empty_line_ = true;
    return true;
  }
  saw_request_line_ = true;
  return read_request_line(message, line);
}

Progress RequestParser::read_body(std::string_view bytes, std::size_t head_in_bytes) {
  if (chunked_) return read_chunked_body(bytes, head_in_bytes);
  const std::size_t total = head_size_ + content_length_.value_or(0);
  if (buffer_.empty() && bytes.size() >= total) {  // whole in one feed: no copy
    complete(bytes.substr(0, total));
    return {Result::request, total};
  }
  if (buffer_.empty()) {
    buffer_.reserve(total);
    buffer_.assign(bytes);
    return {Result::need_more, bytes.size()};
  }
  const std::size_t taken = std::min(total - buffer_.size(), bytes.size() - head_in_bytes);
  buffer_.append(bytes.substr(head_in_bytes, taken));
  if (buffer_.size() < total) return {Result::need_more, bytes.size()};
  complete(buffer_);
  return {Result::request, head_in_bytes + taken};
}

Progress RequestParser::read_chunked_body(std::string_view bytes, std::size_t head_in_bytes) {
  std::string_view rest = bytes.substr(head_in_bytes);
  switch (chunks_.feed(rest)) {
    case ChunkedDecoder::Status::need_more:
      if (buffer_.empty()) buffer_.assign(bytes.substr(0, head_size_));
      return {Result::need_more, bytes.size()};
    case ChunkedDecoder::Status::complete:
      complete(buffer_.empty() ? bytes : std::string_view(buffer_));
      return {Result::request, bytes.size() - rest.size()};
    case ChunkedDecoder::Status::body_too_large:
      return refuse(413, "the decoded body is larger than the limit");
    case ChunkedDecoder::Status::trailer_too_large:
      return refuse(431, "the trailer section is larger than the limit");
    case ChunkedDecoder::Status::malformed:
      break;
  }
  return refuse(400, "the chunked body is malformed");
}

// Turns offsets into views, now that it is settled where the message lies.
void RequestParser::complete(std::string_view message) {
  const auto view = [&](Slice slice) { return message.substr(slice.begin, slice.size); };
  headers_.clear();
  for (const Field& field : fields_) headers_.push_back({view(field.name), view(field.value)});
  request_.method = view(method_);
  request_.target = view(target_);
  request_.version_minor = version_minor_;
  request_.keep_alive = !connection_close_ && (version_minor_ >= 1 || connection_keep_alive_);
  request_.headers = headers_;
  request_.body = chunked_ ? chunks_.body() : message.substr(head_size_);
  stage_ = Stage::complete;
}

std::string_view Request::path() const {
  std::string_view rest = target;
  if (const std::size_t scheme = rest.find("://");
      !rest.starts_with('/') && scheme != std::string_view::npos) {
    rest.remove_prefix(scheme + 3);
    const std::size_t end = rest.find_first_of("/?");
    if (end == std::string_view::npos || rest[end] == '?') return "/";
    rest.remove_prefix(end);
  }
  return rest.substr(0, rest.find('?'));
}

std::string_view Request::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& field : headers) {
    if (syntax::equal_without_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

}  // namespace http_parser
