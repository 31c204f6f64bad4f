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
