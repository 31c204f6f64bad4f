// Fuzz entry for the readers of what the counting tools write: any bytes. A total stands in the text that it
// is read from.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "harness/run/count_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tickmark::run;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto total = callgrind_total(text)) {
    const std::string digits = std::to_string(*total);
    assert(text.find("totals:") != std::string_view::npos && text.find(digits) != std::string_view::npos);
  }
  if (auto total = strace_total(text)) assert(text.find("total") != std::string_view::npos);
  return 0;
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 20000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {
    "# callgrind format\nversion: 1\npart: 1\n\npositions: line\nevents: Ir\nsummary: 19\n\nfn=(1) main\n0 "
    "4\n+1 "
    "15\n\ntotals: 19\n",
    "    calls syscall\n--------- ----------------\n        1 read\n       28 write\n--------- "
    "----------------\n"
    "       29 total\n",
    nullptr};
