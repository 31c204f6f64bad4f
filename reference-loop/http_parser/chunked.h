// The chunked transfer coding, decoded byte-strictly: every line ends in CRLF, sizes are plain hex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace http_parser {

class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t {
    need_more,  // all bytes were consumed
    data,       // `piece` is decoded bytes; feed the rest next
    complete,   // the trailer has ended; the rest is the next message
    malformed,
    body_too_large,
    trailer_too_large
  };

  // Starts a body of at most `body_bytes_max` decoded bytes and `trailer_bytes_max` bytes of trailer.
  void begin(std::size_t body_bytes_max, std::size_t trailer_bytes_max);

  // Consumes from the front of `bytes` (which shrinks) until there is something to say. `piece` is a view
  // into `bytes`, empty unless the answer is Status::data.
  Status feed(std::string_view& bytes, std::string_view& piece);

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
  std::size_t decoded_bytes_ = 0;
  std::string line_;  // of the trailer
};

}  // namespace http_parser
