// The head of a response, written: status lines, fields that cannot be split, the Date of this second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http_session {

// "Not Found"; "Unknown" for a status this server has no phrase for. Static storage.
std::string_view reason_phrase(int status);

// Fields as they go over the wire, made once and used as often as wanted. add() is the only way
// in, so that a value from anywhere can neither end its line nor begin another.
class FieldBlock {
 public:
  // False, and nothing added: the name is not a token, the value holds a control character, or the field
  // is one that the session itself decides (Connection, Content-Length, Date, Expect, Host,
  // Transfer-Encoding).
  [[nodiscard]] bool add(std::string_view name, std::string_view value);
  std::string_view text() const { return text_; }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

// "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", formatted at most once per second and thread. Until the
// thread's next call.
std::string_view date_line();
// The same for any second since 1970, in 37 bytes. For tests, and for date_line().
void write_date_line(std::int64_t unix_seconds, char* to);
inline constexpr std::size_t kDateLineBytes = 37;

struct ResponseHead {
  int status = 200;
  std::optional<std::size_t> content_length;  // nothing: none is sent
  bool chunked = false;
  bool with_date = false;
  std::string_view fields;      // of a FieldBlock
  std::string_view connection;  // "close", "keep-alive", or empty: no field
};

// Appends the whole head, the empty line included.
void append_head(std::string& out, const ResponseHead& head);

// Appends the line that begins a chunk of `size` bytes, which is not 0.
void append_chunk_size(std::string& out, std::size_t size);

}  // namespace http_session
