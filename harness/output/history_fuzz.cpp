// Fuzz entry for the history: any bytes as a file. What is read of it can be put into series.

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "harness/output/history.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tickmark::output;
  const History history = parse_history({reinterpret_cast<const char*>(data), size}, "history");
  for (const HistorySeries& series : history_series(history)) {
    assert(!series.points.empty() && series.points.size() <= size);
    for (const HistoryPoint& point : series.points) assert(point.ratio > 0);
  }
  return 0;
}

// How often the tests mutate, and what from.
extern const unsigned kFuzzRounds;
const unsigned kFuzzRounds = 8000;
extern const char* const kFuzzSeeds[];
const char* const kFuzzSeeds[] = {
    "{\"schema\":\"tickmark.history/"
    "1\",\"utc\":\"2026-11-21T03:00:00Z\",\"machine\":\"x\",\"tool\":{\"git\":\"a1\"},"
    "\"cells\":[{\"cell\":\"c\",\"canary\":\"raw_epoll\",\"ratios\":[{\"subject\":\"node\",\"metric\":"
    "\"cpu_ns_per_request\",\"ratio\":1.5,\"low\":1.4,\"high\":1.6}]}]}\n{\"schema\":\"tickmark.history/"
    "2\"}\n{\"sche",
    nullptr};
