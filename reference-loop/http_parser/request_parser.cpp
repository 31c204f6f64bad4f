// The request line, the fields only requests have, and what a head decides.
#include "reference-loop/http_parser/request_parser.h"

namespace http_parser {
namespace {

constexpr std::size_t kMethodSizeMax = 32;

}  // namespace

bool RequestParser::read_start_line(std::string_view line, std::uint32_t begin) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0) {
    return fail(400, "the request line is not: method, space, target, space, version");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!syntax::all_of<syntax::is_token_char>(method)) return fail(400, "the method is not a token");
  if (method.size() > kMethodSizeMax) return fail(501, "the method is longer than any that is known");
  if (!read_target(method, target)) return false;
  version_minor_ = version_minor_of(line.substr(last + 1));
  if (version_minor_ == -2) return fail(400, "the request line does not end in an HTTP version");
  if (version_minor_ == -1) return fail(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  method_ = {begin, static_cast<std::uint32_t>(first)};
  target_ = {begin + static_cast<std::uint32_t>(first) + 1, static_cast<std::uint32_t>(target.size())};
  return true;
}

bool RequestParser::read_target(std::string_view method, std::string_view target) {
  if (target.empty() || !syntax::all_of<syntax::is_target_char>(target)) {
    return fail(400, "the request target is empty or holds a character that must be percent-encoded");
  }
  if (target.front() == '/') return true;
  const bool absolute_form = target.find("://") != std::string_view::npos;
  const bool asterisk_form = target == "*" && method == "OPTIONS";
  if (!absolute_form && !asterisk_form && method != "CONNECT") {
    return fail(400, "the request target is neither a path nor an absolute URL");
  }
  return true;
}

bool RequestParser::apply_other_field(std::string_view name, std::string_view value) {
  if (name.size() == 4 && syntax::equal_without_case(name, "host")) {
    if (has_host_) return fail(400, "two Host fields");
    if (!syntax::all_of<syntax::is_target_char>(value)) return fail(400, "a Host that is no host");
    has_host_ = true;
  } else if (name.size() == 6 && syntax::equal_without_case(name, "expect")) {
    if (!syntax::equal_without_case(value, "100-continue")) {
      return fail(417, "an expectation other than 100-continue");
    }
    expects_continue_ = true;
  }
  return true;
}

bool RequestParser::finish_head(std::string_view message) {
  if (chunked_ && content_length_) return fail(400, "both Content-Length and Transfer-Encoding");
  if (chunked_ && version_minor_ == 0) return fail(400, "Transfer-Encoding in HTTP/1.0");
  if (!has_host_ && version_minor_ == 1) return fail(400, "HTTP/1.1 without a Host field");
  if (chunked_) framing_ = Framing::chunked;
  if (content_length_) framing_ = Framing::length;
  request_.method = message.substr(method_.begin, method_.size);
  request_.target = message.substr(target_.begin, target_.size);
  request_.version_minor = version_minor_;
  request_.keep_alive = !connection_close_ && (version_minor_ >= 1 || connection_keep_alive_);
  request_.has_body = chunked_ || content_length_.value_or(0) > 0;
  // RFC 9110 10.1.1: a server ignores the expectation of an HTTP/1.0 client, and of one without a body.
  request_.expects_continue = expects_continue_ && request_.has_body && version_minor_ == 1;
  request_.content_length = content_length_;
  return true;
}

std::string_view Request::path() const {
  std::string_view rest = target;
  if (const std::size_t scheme = rest.starts_with('/') ? std::string_view::npos : rest.find("://");
      scheme != std::string_view::npos) {
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

}  // namespace http_parser
