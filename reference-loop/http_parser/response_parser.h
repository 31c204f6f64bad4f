// The strict incremental HTTP/1.1 response parser: message_parser.h from the client's side.
//
// A response cannot be read without knowing what was asked: expect() says whether it was HEAD. An interim
// response (1xx) is a message of its own, with `interim` set; the final one follows. A body without length
// lasts until end_of_input(); every other one that ends there was cut off.
#pragma once

#include <optional>
#include <string_view>

#include "reference-loop/http_parser/message_parser.h"

namespace http_parser {

// The head of a response; its views live as long as those of a Request.
struct Response {
  int status = 0;  // 100..599
  std::string_view reason;
  int version_minor = 1;
  bool keep_alive = true;  // another request may be sent on this connection, once the body has ended
  bool interim = false;    // 1xx: not yet the answer
  std::optional<std::size_t> content_length;
  const FieldList* fields = nullptr;

  std::optional<std::string_view> header(std::string_view name) const { return fields->find(name); }
};

class ResponseParser final : public MessageParser {
 public:
  explicit ResponseParser(Limits limits = {}) : MessageParser(limits, 502) { response_.fields = &fields(); }

  // Before the first byte of each final response: whether the request was HEAD.
  void expect(bool head_request) { head_request_ = head_request; }
  // After Result::head, until the next feed().
  const Response& response() const { return response_; }
  // The peer will send no more. True: the message (or none) is complete. False: it was cut off.
  bool end_of_input();

 private:
  bool read_start_line(std::string_view line, std::uint32_t begin) override;
  bool apply_other_field(std::string_view, std::string_view) override { return true; }
  bool finish_head(std::string_view message) override;
  void begin_head() override { status_ = 0; }

  bool head_request_ = false;
  int status_ = 0;
  Slice reason_;
  Response response_;
};

}  // namespace http_parser
