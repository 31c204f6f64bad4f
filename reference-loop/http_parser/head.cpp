// The request line and the fields: what each line of a head must look like and what it decides.
#include <cassert>

#include "reference-loop/http_parser/parser.h"
#include "reference-loop/http_parser/syntax.h"

namespace http_parser {
namespace {

constexpr std::size_t kMethodSizeMax = 32;

// "HTTP/1.1" -> 1, "HTTP/1.0" -> 0, any other version -> -1, no version at all -> -2.
int version_minor_of(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return -2;
  }
  if (text[5] != '1' || text[7] > '1') return -1;
  return text[7] - '0';
}

}  // namespace

bool RequestParser::read_request_line(std::string_view message, Slice line) {
  const std::string_view text = message.substr(line.begin, line.size);
  const std::size_t first = text.find(' ');
  const std::size_t last = text.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0) {
    return fail(400, "the request line is not: method, space, target, space, version");
  }
  const std::string_view method = text.substr(0, first);
  const std::string_view target = text.substr(first + 1, last - first - 1);
  if (!syntax::all_of<syntax::is_token_char>(method)) return fail(400, "the method is not a token");
  if (method.size() > kMethodSizeMax) return fail(501, "the method is longer than any that is known");
  if (!read_target(method, target)) return false;
  version_minor_ = version_minor_of(text.substr(last + 1));
  if (version_minor_ == -2) return fail(400, "the request line does not end in an HTTP version");
  if (version_minor_ == -1) return fail(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  method_ = {line.begin, first};
  target_ = {line.begin + first + 1, target.size()};
  return true;
}

bool RequestParser::read_target(std::string_view method, std::string_view target) {
  if (target.empty() || !syntax::all_of<syntax::is_target_char>(target)) {
    return fail(400, "the request target is empty or holds a character that must be percent-encoded");
  }
  const bool origin_form = target.front() == '/';
  const bool absolute_form = target.find("://") != std::string_view::npos;
  const bool asterisk_form = target == "*" && method == "OPTIONS";
  if (!origin_form && !absolute_form && !asterisk_form && method != "CONNECT") {
    return fail(400, "the request target is neither a path nor an absolute URL");
  }
  return true;
}

bool RequestParser::read_field(std::string_view message, Slice line) {
  const std::string_view text = message.substr(line.begin, line.size);
  if (syntax::is_blank(text.front())) return fail(400, "a folded header line");
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return fail(400, "a header line without a name");
  const std::string_view name = text.substr(0, colon);
  if (!syntax::all_of<syntax::is_token_char>(name)) {
    return fail(400, "a header name that is not a token (a space before the colon, perhaps)");
  }
  const std::string_view value = syntax::trim(text.substr(colon + 1));
  if (!syntax::all_of<syntax::is_value_char>(value)) return fail(400, "a control character in a header");
  if (fields_.size() == limits_.headers_max) return fail(431, "more header fields than the limit");
  const std::size_t value_begin = static_cast<std::size_t>(value.data() - message.data());
  fields_.push_back({{line.begin, colon}, {value_begin, value.size()}});
  return apply_field(name, value);
}

// The few fields that decide framing and connection; dispatched by length, as most fields are not.
bool RequestParser::apply_field(std::string_view name, std::string_view value) {
  using syntax::equal_without_case;
  switch (name.size()) {
    case 4:
      if (!equal_without_case(name, "host")) return true;
      if (has_host_) return fail(400, "two Host fields");
      return has_host_ = true;
    case 6:
      if (equal_without_case(name, "expect")) expects_continue_ = equal_without_case(value, "100-continue");
      return true;
    case 10:
      if (!equal_without_case(name, "connection")) return true;
      for (std::string_view rest = value; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const std::string_view option = syntax::trim(rest.substr(0, comma));
        if (equal_without_case(option, "close")) connection_close_ = true;
        if (equal_without_case(option, "keep-alive")) connection_keep_alive_ = true;
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      }
      return true;
    case 14:
      return equal_without_case(name, "content-length") ? apply_content_length(value) : true;
    case 17:
      return equal_without_case(name, "transfer-encoding") ? apply_transfer_encoding(value) : true;
    default:
      return true;
  }
}

bool RequestParser::apply_content_length(std::string_view value) {
  if (content_length_) return fail(400, "two Content-Length fields");
  if (value.empty()) return fail(400, "an empty Content-Length");
  std::size_t length = 0;
  bool too_large = false;
  for (char c : value) {
    if (c < '0' || c > '9') return fail(400, "a Content-Length that is not a plain decimal number");
    length = length * 10 + static_cast<std::size_t>(c - '0');
    too_large = too_large || length > limits_.body_bytes_max;
    if (too_large) length = 0;  // keep reading digits without overflowing: "1e9" is 400, not 413
  }
  if (too_large) return fail(413, "the body is larger than the limit");
  content_length_ = length;
  return true;
}

bool RequestParser::apply_transfer_encoding(std::string_view value) {
  if (chunked_) return fail(400, "two Transfer-Encoding fields");
  if (!syntax::equal_without_case(value, "chunked")) {
    return fail(501, "a transfer coding other than chunked");
  }
  return chunked_ = true;
}

bool RequestParser::finish_head() {
  if (chunked_ && content_length_) return fail(400, "both Content-Length and Transfer-Encoding");
  if (chunked_ && version_minor_ == 0) return fail(400, "Transfer-Encoding in HTTP/1.0");
  if (!has_host_ && version_minor_ == 1) return fail(400, "HTTP/1.1 without a Host field");
  if (chunked_) chunks_.begin(limits_.body_bytes_max, limits_.head_bytes_max);
  return true;
}

}  // namespace http_parser
