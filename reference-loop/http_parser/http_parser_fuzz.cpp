// libFuzzer entry: one input, fed whole and byte by byte, must give the same requests or refusal.
// Not built by default: clang++ -fsanitize=fuzzer,address -I<root> http_parser_fuzz.cpp parser.cpp head.cpp
// chunked.cpp
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "reference-loop/http_parser/parser.h"

namespace {

std::string outcome_of(std::string_view bytes, std::size_t piece_size) {
  http_parser::RequestParser parser({.head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 1024});
  std::string outcome;
  while (!bytes.empty()) {
    const auto [result, consumed] = parser.feed(bytes.substr(0, piece_size));
    bytes.remove_prefix(consumed);
    if (result == http_parser::Result::request) {
      outcome.append(parser.request().method).append(" ").append(parser.request().target).append(" ");
      outcome.append(parser.request().body).append("\n");
    }
    if (result == http_parser::Result::refused) return outcome + std::to_string(parser.refusal().status);
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome_of(bytes, size) != outcome_of(bytes, 1)) std::abort();
  return 0;
}
