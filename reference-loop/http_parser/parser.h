// One strict incremental HTTP/1.1 request parser for every C++ architecture in this repository.
//
// Sans-I/O: bytes go in by feed(), requests come out; it never touches a socket, a clock or a file,
// so a thread, an event loop and a fuzzer use the same code. It reads RFC 9112 strictly: whatever two
// parsers could read differently (a bare LF, a folded line, a space before the colon, two lengths) is
// refused, because such differences are how requests are smuggled past a proxy.
//
// Not here: responses, HTTP/2, streaming of large bodies (a body is delivered whole, within a limit).
//
//   http_parser::RequestParser parser;
//   while (!bytes.empty()) {
//     auto [result, consumed] = parser.feed(bytes);
//     bytes.remove_prefix(consumed);
//     if (result == http_parser::Result::request) answer(parser.request());
//     if (result == http_parser::Result::refused) return refuse(parser.refusal());
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/http_parser/chunked.h"

namespace http_parser {

// What one message may cost, in bytes and fields. Exceeding a limit is a refusal, never a truncation.
struct Limits {
  std::size_t head_bytes_max = 16 * 1024;        // request line and all fields, with their CRLFs: else 431
  std::size_t headers_max = 100;                 // fields: else 431
  std::size_t body_bytes_max = 8 * 1024 * 1024;  // after chunk decoding: else 413
};

struct Header {
  std::string_view name;   // as sent; compare without case
  std::string_view value;  // without the surrounding spaces and tabs
};

// A whole request. Every view lives until the next feed() or reset() of its parser, and, where the
// request arrived whole in one feed(), no longer than the bytes given to that feed().
struct Request {
  std::string_view method;  // as sent, case-sensitive: "GET"
  std::string_view target;  // as sent: "/fs/read?file=a"
  int version_minor = 1;    // HTTP/1.0 or HTTP/1.1
  bool keep_alive = true;   // what the client asks for; the server may still close
  std::span<const Header> headers;
  std::string_view body;

  // The target up to the first '?', without scheme and authority of an absolute-form target.
  std::string_view path() const;
  // What follows the first '?' of the target, or nothing. Not percent-decoded.
  std::string_view query() const;
  // The first field of that name (compared without case), if it was sent.
  std::optional<std::string_view> header(std::string_view name) const;
};

// Why a request was refused: the status to answer before closing the connection, and one sentence.
struct Refusal {
  int status = 0;  // 400, 413, 431, 501 or 505
  const char* reason = "";
};

enum class Result : std::uint8_t {
  need_more,  // every byte given was consumed; the message is not complete
  request,    // request() is complete; feed the bytes behind `consumed` next
  refused,    // refusal() says why; final: nothing after it can be trusted to be a request
};

struct Progress {
  Result result;
  std::size_t consumed;  // bytes of this feed() that are done with; never past the end of one request
};

class RequestParser {
 public:
  explicit RequestParser(Limits limits = {}) : limits_(limits) {}

  // Reads at most one request from `bytes`. The outcome does not depend on how a stream is cut into
  // feeds. A whole request in one feed is not copied.
  Progress feed(std::string_view bytes);

  // The request just completed; valid after Result::request only.
  const Request& request() const;
  // Valid after Result::refused only.
  const Refusal& refusal() const;
  // The head is complete, its body is not, and the client waits for "100 Continue" before sending it.
  bool expects_continue() const { return stage_ == Stage::body && expects_continue_; }
  // True between requests: a peer that ends here has cut nothing off.
  bool idle() const { return stage_ == Stage::head ? buffer_.empty() : stage_ == Stage::complete; }
  // Forgets everything, a refusal too: for a parser that serves another connection next.
  void reset();

 private:
  enum class Stage : std::uint8_t { head, body, complete, refused };
  struct Slice {  // of the message, by offset: the message may move from the input into buffer_
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct Field {
    Slice name;
    Slice value;
  };

  void begin_message();
  Progress refuse(int status, const char* reason);
  bool fail(int status, const char* reason);
  bool read_head(std::string_view message);
  bool read_line(std::string_view message, Slice line);
  bool read_request_line(std::string_view message, Slice line);
  bool read_target(std::string_view method, std::string_view target);
  bool read_field(std::string_view message, Slice line);
  bool apply_field(std::string_view name, std::string_view value);
  bool apply_content_length(std::string_view value);
  bool apply_transfer_encoding(std::string_view value);
  bool finish_head();
  Progress read_body(std::string_view bytes, std::size_t head_in_bytes);
  Progress read_chunked_body(std::string_view bytes, std::size_t head_in_bytes);
  void complete(std::string_view message);

  Limits limits_;
  Stage stage_ = Stage::head;
  std::string buffer_;          // the message so far, when it did not arrive whole
  std::size_t scanned_ = 0;     // bytes of the head already searched for a line end
  std::size_t line_begin_ = 0;  // where the current line of the head begins
  std::size_t head_size_ = 0;   // known once the head is complete
  bool saw_request_line_ = false;
  bool skipped_empty_line_ = false;

  Slice method_;
  Slice target_;
  std::vector<Field> fields_;
  int version_minor_ = 1;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_host_ = false;
  bool chunked_ = false;
  std::optional<std::size_t> content_length_;
  ChunkedDecoder chunks_;

  std::vector<Header> headers_;
  Request request_;
  Refusal refusal_;
};

}  // namespace http_parser
