#pragma once
// `tickmark compare BASELINE CANDIDATE --gate counted`: instructions and system calls per request, which no
// neighbour and no clock can touch.

#include <cstdint>
#include <string>

#include "harness/base/error.h"
#include "harness/output/counted_comparison.h"
#include "harness/output/progress.h"

namespace tickmark::cli {

struct CompareCounted {
  std::string baseline, candidate;  ///< as typed
  std::string workload;             ///< empty: sockets and hello, where both speak them
  uint64_t requests = 0;            ///< of each count
  std::string output;               ///< folder of the answer; must be free
  std::string command;              ///< repeats it
  output::Progress* progress = nullptr;
};

struct CountedRun {
  output::CountedComparison comparison;
  int interrupted = 0;  ///< the exit code of an interrupted run; 0: it came to its end
};

/// Counts, and writes counted.json, machine.json and the tools' own files into the folder. Errors: the
/// subjects cannot be counted here, or a tool is missing.
Expected<CountedRun> compare_counted(const CompareCounted& request);

}  // namespace tickmark::cli
