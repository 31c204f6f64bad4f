// One input, fed whole and byte by byte, must give the same responses or the same refusal.
#include "reference-loop/http_parser/fuzz_entry.h"
#include "reference-loop/http_parser/response_parser.h"

namespace {

std::string outcome_of(std::string_view bytes, std::size_t piece_size) {
  http_parser::ResponseParser parser({.head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 1024});
  std::string outcome;
  bool head_request = false;
  while (!bytes.empty()) {
    parser.expect(head_request);
    const auto [result, last, consumed] = parser.feed(bytes.substr(0, piece_size));
    bytes.remove_prefix(consumed);
    if (result == http_parser::Result::head) {
      const http_parser::Response& response = parser.response();
      outcome.append(std::to_string(response.status)).append(response.reason);
      for (std::size_t i = 0; i < response.fields->size(); ++i) outcome.append((*response.fields)[i].value);
    }
    if (result == http_parser::Result::body) outcome.append(parser.body());
    if (result == http_parser::Result::refused) {
      // A body without length is refused for the piece that exceeds the limit: what came before it depends
      // on the cuts.
      return outcome.substr(0, 8) + "refused";
    }
    if (last) {
      outcome.append("|");
      head_request = !head_request;
    }
  }
  return outcome + (parser.end_of_input() ? "end" : "cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (outcome_of(bytes, size) != outcome_of(bytes, 1)) std::abort();
  return 0;
}

const char* const kFuzzSeeds[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;n=v\r\n0123456789\r\n0\r\nB: "
    "1\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\n\r\nuntil the end",
    nullptr};
const unsigned kFuzzRounds = 20000;
