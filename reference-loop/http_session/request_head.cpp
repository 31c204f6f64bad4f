#include "reference-loop/http_session/request_head.h"

#include "reference-loop/http_parser/syntax.h"

namespace http_session {

bool append_request_head(std::string& out, const RequestHead& head) {
  using namespace http_parser::syntax;
  if (head.method.empty() || !all_of<is_token_char>(head.method)) return false;
  if (head.target.empty() || !all_of<is_target_char>(head.target)) return false;
  if (head.host.empty() || !all_of<is_target_char>(head.host)) return false;
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\nHost: ").append(head.host);
  out.append("\r\n");
  if (head.content_length)
    out.append("Content-Length: ").append(std::to_string(*head.content_length)).append("\r\n");
  if (head.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.expect_continue) out.append("Expect: 100-continue\r\n");
  if (head.close) out.append("Connection: close\r\n");
  if (head.fields) out.append(head.fields->text());
  out.append("\r\n");
  return true;
}

}  // namespace http_session
