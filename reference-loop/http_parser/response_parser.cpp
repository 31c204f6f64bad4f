#include "reference-loop/http_parser/response_parser.h"

namespace http_parser {

bool ResponseParser::read_start_line(std::string_view line, std::uint32_t begin) {
  if (line.size() < 12 || line[8] != ' ') return fail(502, "the status line is not: version, space, status");
  version_minor_ = version_minor_of(line.substr(0, 8));
  if (version_minor_ < 0) return fail(502, "the peer speaks neither HTTP/1.0 nor HTTP/1.1");
  status_ = 0;
  for (char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return fail(502, "the status is not a number of three digits");
    status_ = status_ * 10 + (c - '0');
  }
  if (status_ < 100 || status_ > 599) return fail(502, "the status is not between 100 and 599");
  // The space before an empty reason is required, and missing often; nothing can be misread without it.
  if (line.size() > 12 && line[12] != ' ') return fail(502, "the status is not a number of three digits");
  const std::string_view reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!syntax::all_of<syntax::is_value_char>(reason)) return fail(502, "a control character in the reason");
  reason_ = {begin + 13, static_cast<std::uint32_t>(reason.size())};
  return true;
}

bool ResponseParser::finish_head(std::string_view message) {
  if (chunked_ && content_length_) return fail(502, "both Content-Length and Transfer-Encoding");
  if (chunked_ && version_minor_ == 0) return fail(502, "Transfer-Encoding in HTTP/1.0");
  if (status_ == 101) return fail(502, "the peer switches to a protocol nobody asked for");
  response_.interim = status_ < 200;
  // RFC 9112 6.3: these never have a body, whatever their fields say.
  const bool bodiless = response_.interim || status_ == 204 || status_ == 304 || head_request_;
  if (bodiless)
    framing_ = Framing::none;
  else if (chunked_)
    framing_ = Framing::chunked;
  else
    framing_ = content_length_ ? Framing::length : Framing::until_end;
  response_.status = status_;
  response_.reason = reason_.size > 0 ? message.substr(reason_.begin, reason_.size) : std::string_view();
  response_.version_minor = version_minor_;
  response_.keep_alive =
      framing_ != Framing::until_end && !connection_close_ && (version_minor_ == 1 || connection_keep_alive_);
  response_.content_length = content_length_;
  return true;
}

bool ResponseParser::end_of_input() {
  if (stage_ == Stage::body && framing_ == Framing::until_end) {
    stage_ = Stage::complete;
    return true;
  }
  return idle();
}

}  // namespace http_parser
