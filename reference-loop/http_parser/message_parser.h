// What reading a request and reading a response have in common: lines, fields, framing, body.
//
// Sans-I/O: bytes go in by feed(), events come out; it never touches a socket, a clock or a file, so a
// thread, an event loop and a fuzzer use the same code. It reads RFC 9112 strictly: whatever two parsers
// could read differently (a bare LF, a folded line, a space before the colon, two lengths) is refused,
// because such differences are how messages are smuggled past a proxy.
//
// A body is not collected: its pieces are views into the bytes given to feed(). A head is copied only
// when it did not arrive whole. Not here: HTTP/2, trailers (checked, then dropped).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reference-loop/http_parser/chunked.h"
#include "reference-loop/http_parser/fields.h"

namespace http_parser {

// What one message may cost, in bytes and fields. Exceeding a limit is a refusal, never a truncation.
struct Limits {
  std::size_t head_bytes_max = 16 * 1024;        // start line and all fields, with their CRLFs: else 431
  std::size_t headers_max = 100;                 // fields: else 431
  std::size_t body_bytes_max = 8 * 1024 * 1024;  // after chunk decoding: else 413
};

// Why a message was refused: the status a server answers before it closes, and one sentence.
struct Refusal {
  int status = 0;  // requests: 400, 413, 417, 431, 501 or 505; responses: 502, what a gateway says
  const char* reason = "";
};

enum class Result : std::uint8_t {
  need_more,  // every byte given was consumed; nothing to report yet
  head,       // the head is complete
  body,       // body() is the next piece of the body, possibly empty if it is the last
  refused,    // refusal() says why; final: nothing after it can be trusted to be a message
};

struct Progress {
  Result result;
  bool last;             // the message is complete with this event
  std::size_t consumed;  // bytes of this feed() that are done with; never past the end of one message
};

class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  // Reads at most one event from `bytes`; feed the bytes behind `consumed` next. What the events say does
  // not depend on how a stream is cut into feeds, except for where a body is cut into pieces.
  Progress feed(std::string_view bytes);

  // Valid until the next feed(), after Result::body only.
  std::string_view body() const { return body_; }
  const FieldList& fields() const { return fields_; }
  // Valid after Result::refused only.
  const Refusal& refusal() const {
    assert(stage_ == Stage::refused && "nothing was refused");
    return refusal_;
  }
  // True between messages: a peer that ends here has cut nothing off.
  bool idle() const { return stage_ == Stage::head ? buffer_.empty() : stage_ == Stage::complete; }
  // The head is complete and the body is not.
  bool in_body() const { return stage_ == Stage::body; }
  // Forgets everything, a refusal too: for a parser that serves another connection next.
  void reset();
  void reset(Limits limits) {
    limits_ = limits;
    reset();
  }

 protected:
  enum class Stage : std::uint8_t { head, body, complete, refused };
  enum class Framing : std::uint8_t { none, length, chunked, until_end };

  // `only_status`: what every refusal says, if not 0.
  MessageParser(Limits limits, int only_status) : limits_(limits), only_status_(only_status) {}
  ~MessageParser() = default;

  // Each answers false after fail(). `begin`: where the line lies in the message.
  virtual bool read_start_line(std::string_view line, std::uint32_t begin) = 0;
  virtual bool apply_other_field(std::string_view name, std::string_view value) = 0;
  // The head is complete, `message` begins with it: settles framing_ and makes views.
  virtual bool finish_head(std::string_view message) = 0;
  virtual void begin_head() = 0;

  // Remembers the refusal; `return fail(...)` reads well in the readers, which answer false for "stop".
  bool fail(int status, const char* reason);

  Limits limits_;
  const int only_status_;
  Stage stage_ = Stage::head;
  Framing framing_ = Framing::none;
  bool saw_start_line_ = false;
  bool skipped_empty_line_ = false;
  bool skips_empty_line_ = false;  // RFC 9112 2.2: one before a request, never before a response
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  bool chunked_ = false;
  int version_minor_ = 1;
  std::optional<std::size_t> content_length_;

 private:
  void begin_message();
  Progress refuse(int status, const char* reason);
  Progress feed_head(std::string_view bytes);
  Progress feed_body(std::string_view bytes);
  Progress feed_chunked(std::string_view bytes);
  bool read_head(std::string_view message);
  bool read_line(std::string_view message, std::size_t begin, std::size_t size);
  bool read_field(std::string_view message, std::string_view line);
  bool apply_field(std::string_view name, std::string_view value);
  bool apply_connection(std::string_view value);
  bool apply_content_length(std::string_view value);
  bool apply_transfer_encoding(std::string_view value);

  std::string buffer_;          // the head so far, when it did not arrive whole
  std::size_t scanned_ = 0;     // bytes of the head already searched for a line end
  std::size_t line_begin_ = 0;  // where the current line of the head begins
  std::size_t remaining_ = 0;   // of a body of known length
  FieldList fields_;
  ChunkedDecoder chunks_;
  std::string_view body_;
  Refusal refusal_;
};

// "HTTP/1.1" -> 1, "HTTP/1.0" -> 0, any other version -> -1, no version at all -> -2.
int version_minor_of(std::string_view text);

}  // namespace http_parser
