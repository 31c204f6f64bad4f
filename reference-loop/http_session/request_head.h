// The head of a request, written: with nothing in it that could end a line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "reference-loop/http_session/response_head.h"

namespace http_session {

struct RequestHead {
  std::string_view method = "GET";
  std::string_view target = "/";
  std::string_view host;                           // the Host field
  const FieldBlock* fields = nullptr;              // the caller's own
  std::optional<std::size_t> content_length = {};  // nothing: no body, or chunked
  bool chunked = false;
  bool expect_continue = false;
  bool close = false;  // the last request of its connection
};

// Appends the whole head, the empty line included. False, and nothing appended: the method is not a token, or
// target or host hold a character that must not be there.
[[nodiscard]] bool append_request_head(std::string& out, const RequestHead& head);

}  // namespace http_session
