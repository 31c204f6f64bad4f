// The chunked transfer coding, decoded byte-strictly: every line ends in CRLF, sizes are plain hex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace http_parser {

class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t { need_more, complete, malformed, body_too_large, trailer_too_large };

  // Starts a body of at most `body_bytes_max` decoded bytes and `trailer_bytes_max` bytes of trailer.
  void begin(std::size_t body_bytes_max, std::size_t trailer_bytes_max);

  // Consumes from the front of `bytes` (which shrinks) until the body is complete or faulty.
  Status feed(std::string_view& bytes);

  // The decoded bytes so far; valid until the next begin().
  std::string_view body() const { return body_; }

 private:
  enum class Stage : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer, trailer_lf };

  Status step(char c);
  Status read_size(char c);
  Status end_size_line();
  Status end_trailer_line();

  Stage stage_ = Stage::size;
  std::size_t body_bytes_max_ = 0;
  std::size_t trailer_bytes_max_ = 0;
  std::size_t remaining_ = 0;  // of the chunk's size while reading it, then of its data
  std::size_t size_digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string line_;  // of the trailer
  std::string body_;
};

}  // namespace http_parser
