#pragma once
// `tickmark compare BASELINE CANDIDATE` with two subjects: run now, interleaved, judged while they run.

#include <cstdint>
#include <functional>
#include <string>

#include "harness/base/error.h"
#include "harness/output/comparison.h"
#include "harness/run/run.h"

namespace tickmark::cli {

struct CompareSubjects {
  std::string baseline, candidate;  ///< as typed
  std::string suite;                ///< gate | gate_full
  std::string workload;             ///< empty: the first of the suite's that both speak
  run::Overrides overrides;         ///< connections, rate, duration
  uint64_t seed = 1;
  bool confirm = true;
  std::string output;   ///< folder of the bundle
  std::string command;  ///< repeats it
  output::Progress* progress = nullptr;
};

struct CompareOutcome {
  output::Comparison comparison;
  int interrupted = 0;  ///< the exit code of an interrupted run; 0: it came to its end
};

/// Errors: the subjects cannot be compared here, or nothing could be measured.
Expected<CompareOutcome> compare_subjects(const CompareSubjects& request);

}  // namespace tickmark::cli
