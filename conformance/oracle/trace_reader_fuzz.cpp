// libFuzzer target: a trace is written by a foreign process, so no byte of it may crash or stall the reader.
//   clang++ -std=c++23 -fsanitize=fuzzer,address -I. conformance/oracle/trace_reader_fuzz.cpp
//   conformance/oracle/trace.cpp -lfmt
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "conformance/oracle/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::istringstream stream(std::string(reinterpret_cast<const char*>(data), size));
  tickmark::conformance::TraceReader reader(stream, "fuzz");
  while (true) {
    const auto item = reader.next();
    if (!item || !*item) return 0;
  }
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 20000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {R"({"event":"trace","schema":"tickmark.trace/1","player":"libuv","pool":1}
)"
                                  R"({"event":"start","scenario":"ticks/a","run":0,"time_ns":1000}
)"
                                  R"({"event":"begin","label":"main","site":"","cause":"main","time_ns":1100}
)"
                                  R"({"event":"end","label":"main","site":"","cause":"main","time_ns":1300}
)",
                                  nullptr};
