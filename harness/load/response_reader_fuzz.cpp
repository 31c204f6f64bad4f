// libFuzzer: whatever arrives, the reader neither crashes nor depends on how the bytes were cut.
// Build: clang++ -std=c++23 -fsanitize=fuzzer,address,undefined -I. harness/load/response_reader*.cpp -lfmt
// (without response_reader_test.cpp).

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/load/response_reader.h"

namespace {

using tickmark::load::ExpectedReply;
using tickmark::load::ResponseReader;

/// Reads replies until the bytes or the trust end; a digest of everything observable.
uint64_t digest(std::string_view bytes, size_t piece, const ExpectedReply& expected) {
  ResponseReader reader;
  uint64_t hash = 1469598103934665603ULL;
  auto mix = [&hash](uint64_t v) { hash = (hash ^ v) * 1099511628211ULL; };
  for (size_t at = 0; at < bytes.size();) {
    auto step = reader.feed(bytes.substr(at, piece), expected);
    if (step.consumed > piece) std::abort();
    at += step.consumed;
    if (step.outcome == ResponseReader::Outcome::kMore) continue;
    mix(static_cast<uint64_t>(step.outcome));
    mix(static_cast<uint64_t>(reader.status()));
    for (char c : reader.fault()) mix(static_cast<unsigned char>(c));
    if (step.outcome == ResponseReader::Outcome::kBroken) break;
    mix(at);
  }
  return hash;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (bool head_only : {false, true}) {
    ExpectedReply expected{.status = 200, .body = "hello\n", .head_only = head_only};
    uint64_t whole = digest(bytes, size == 0 ? 1 : size, expected);
    for (size_t piece : {1, 2, 5}) {
      if (digest(bytes, piece, expected) != whole) std::abort();
    }
  }
  return 0;
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 20000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    nullptr};
