#include "reference-loop/http_parser/chunked.h"

#include "reference-loop/http_parser/syntax.h"

namespace http_parser {
namespace {

// No sane size needs more; sixteen digits would already overflow the arithmetic below.
constexpr std::size_t kSizeDigitsMax = 15;
// Extensions carry nothing this parser honours; long ones are an attack on its patience.
constexpr std::size_t kExtensionBytesMax = 256;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A trailer field is checked like a header field and then dropped.
bool is_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         syntax::all_of<syntax::is_token_char>(line.substr(0, colon)) &&
         syntax::all_of<syntax::is_value_char>(line.substr(colon + 1));
}

}  // namespace

void ChunkedDecoder::begin(std::size_t body_bytes_max, std::size_t trailer_bytes_max) {
  stage_ = Stage::size;
  body_bytes_max_ = body_bytes_max;
  trailer_bytes_max_ = trailer_bytes_max;
  remaining_ = size_digits_ = extension_bytes_ = trailer_bytes_ = decoded_bytes_ = 0;
  line_.clear();
}

ChunkedDecoder::Status ChunkedDecoder::feed(std::string_view& bytes, std::string_view& piece) {
  piece = {};
  while (!bytes.empty()) {
    if (stage_ == Stage::data) {
      piece = bytes.substr(0, remaining_);
      bytes.remove_prefix(piece.size());
      remaining_ -= piece.size();
      decoded_bytes_ += piece.size();
      if (remaining_ == 0) stage_ = Stage::data_cr;
      return Status::data;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (const Status status = step(c); status != Status::need_more) return status;
  }
  return Status::need_more;
}

ChunkedDecoder::Status ChunkedDecoder::step(char c) {
  switch (stage_) {
    case Stage::size:
      return read_size(c);
    case Stage::extension:
      if (c == '\r') {
        stage_ = Stage::size_lf;
        return Status::need_more;
      }
      if (!syntax::is_value_char(static_cast<unsigned char>(c))) return Status::malformed;
      return ++extension_bytes_ <= kExtensionBytesMax ? Status::need_more : Status::malformed;
    case Stage::size_lf:
      return c == '\n' ? end_size_line() : Status::malformed;
    case Stage::data_cr:
      stage_ = Stage::data_lf;
      return c == '\r' ? Status::need_more : Status::malformed;
    case Stage::data_lf:
      stage_ = Stage::size;
      return c == '\n' ? Status::need_more : Status::malformed;
    case Stage::trailer:
      if (++trailer_bytes_ > trailer_bytes_max_) return Status::trailer_too_large;
      if (c == '\r') {
        stage_ = Stage::trailer_lf;
        return Status::need_more;
      }
      if (c == '\n') return Status::malformed;
      line_.push_back(c);
      return Status::need_more;
    case Stage::trailer_lf:
      return c == '\n' ? end_trailer_line() : Status::malformed;
    case Stage::data:
      break;  // consumed in bulk by feed()
  }
  return Status::malformed;
}

ChunkedDecoder::Status ChunkedDecoder::read_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    if (++size_digits_ > kSizeDigitsMax) return Status::malformed;
    remaining_ = remaining_ * 16 + static_cast<std::size_t>(digit);
    return Status::need_more;
  }
  if (size_digits_ == 0) return Status::malformed;
  if (c == '\r')
    stage_ = Stage::size_lf;
  else if (c == ';')
    stage_ = Stage::extension;
  else
    return Status::malformed;
  return Status::need_more;
}

ChunkedDecoder::Status ChunkedDecoder::end_size_line() {
  size_digits_ = extension_bytes_ = 0;
  if (remaining_ == 0) {
    stage_ = Stage::trailer;
    return Status::need_more;
  }
  if (remaining_ > body_bytes_max_ - decoded_bytes_) return Status::body_too_large;
  stage_ = Stage::data;
  return Status::need_more;
}

ChunkedDecoder::Status ChunkedDecoder::end_trailer_line() {
  if (line_.empty()) return Status::complete;
  if (!is_field_line(line_)) return Status::malformed;
  line_.clear();
  stage_ = Stage::trailer;
  return Status::need_more;
}

}  // namespace http_parser
