// The strict incremental HTTP/1.1 request parser of every C++ architecture in this repository.
//
//   http_parser::RequestParser parser;
//   while (!bytes.empty()) {
//     const auto [result, last, consumed] = parser.feed(bytes);
//     bytes.remove_prefix(consumed);
//     if (result == http_parser::Result::head) begin(parser.request());
//     if (result == http_parser::Result::body) more(parser.body());
//     if (result == http_parser::Result::refused) return refuse(parser.refusal());
//     if (last) end();
//   }
//
// What all parsers share, the strictness above all: message_parser.h.
#pragma once

#include <optional>
#include <string_view>

#include "reference-loop/http_parser/message_parser.h"

namespace http_parser {

// The head of a request. Every view lives until the next feed() or reset() of its parser, and, where the
// head arrived whole in one feed(), no longer than the bytes given to that feed().
struct Request {
  std::string_view method;        // as sent, case-sensitive: "GET"
  std::string_view target;        // as sent: "/fs/read?file=a"
  int version_minor = 1;          // HTTP/1.0 or HTTP/1.1
  bool keep_alive = true;         // what the client asks for; the server may still close
  bool has_body = false;          // Content-Length above 0, or chunked
  bool expects_continue = false;  // it waits for "100 Continue" before it sends the body
  std::optional<std::size_t> content_length;
  const FieldList* fields = nullptr;

  std::string_view path() const;   // of the target, without the query: "/fs/read"
  std::string_view query() const;  // behind the first '?', undecoded; empty if there is none
  std::optional<std::string_view> header(std::string_view name) const { return fields->find(name); }
};

class RequestParser final : public MessageParser {
 public:
  explicit RequestParser(Limits limits = {}) : MessageParser(limits, 0) {
    skips_empty_line_ = true;
    request_.fields = &fields();
  }

  // After Result::head, until the next feed().
  const Request& request() const { return request_; }

 private:
  bool read_start_line(std::string_view line, std::uint32_t begin) override;
  bool read_target(std::string_view method, std::string_view target);
  bool apply_other_field(std::string_view name, std::string_view value) override;
  bool finish_head(std::string_view message) override;
  void begin_head() override { has_host_ = expects_continue_ = false; }

  Slice method_;
  Slice target_;
  bool has_host_ = false;
  bool expects_continue_ = false;
  Request request_;
};

}  // namespace http_parser
