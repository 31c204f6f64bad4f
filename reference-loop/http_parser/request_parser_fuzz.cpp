// One input, fed whole and byte by byte, must give the same requests or the same refusal.
#include "reference-loop/http_parser/fuzz_entry.h"
#include "reference-loop/http_parser/request_parser.h"

namespace {

std::string outcome_of(std::string_view bytes, std::size_t piece_size) {
  http_parser::RequestParser parser({.head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 1024});
  std::string outcome;
  while (!bytes.empty()) {
    const auto [result, last, consumed] = parser.feed(bytes.substr(0, piece_size));
    bytes.remove_prefix(consumed);
    if (result == http_parser::Result::head) {
      const http_parser::Request& request = parser.request();
      outcome.append(request.method).append(" ").append(request.path()).append(request.query());
      for (std::size_t i = 0; i < request.fields->size(); ++i) outcome.append((*request.fields)[i].value);
    }
    if (result == http_parser::Result::body) outcome.append(parser.body());
    if (result == http_parser::Result::refused) return outcome + std::to_string(parser.refusal().status);
    if (last) outcome.append("|");
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome_of(bytes, size) != outcome_of(bytes, 1)) std::abort();
  return 0;
}

const char* const kFuzzSeeds[] = {"GET /hello?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
                                  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n3\r\nabc\r\nA;n=v\r\n0123456789\r\n0\r\nB: 1\r\n\r\n",
                                  "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: "
                                  "100-continue\r\n\r\nhalloGET / HTTP/1.0\r\n\r\n",
                                  nullptr};
const unsigned kFuzzRounds = 20000;
