// libFuzzer target for the log reader and its decoder (clang++ 16 or newer, -fsanitize=fuzzer,address): any
// bytes end in an entry or an error, and what was accepted survives being written and read again.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/stats/hdr_codec.h"
#include "harness/stats/hdr_log.h"

using namespace tickmark::stats;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  HdrLogReader reader(text);
  while (true) {
    const auto entry = reader.next();
    if (!entry) continue;
    if (!entry->has_value()) break;
    const Histogram& histogram = (*entry)->histogram;
    if (histogram.layout().precision_bits == 0) continue;  // zero digits: readable, never written
    const auto again = decode_hdr(encode_hdr(histogram));
    if (!again || !std::ranges::equal(again->counts(), histogram.counts())) std::abort();
  }
  return 0;
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 2000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {
    "#[Histogram log format version "
    "1.3]\n\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    "Tag=t31.heavy.connect,39.140,0.700,0.062,HISTFAAAADF4nJNpmSzMwMAAwiDADKUZgVj+PxDYf4AIHA9i+"
    "snIJMikzMQAJDmZZkoyAQAQMwnL"
    "\n",
    nullptr};
