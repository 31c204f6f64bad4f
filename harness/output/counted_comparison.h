#pragma once
// A comparison of two subjects by what was counted, and the document that keeps it. How it is told to people
// is the command line's.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/output/json_access.h"
#include "harness/stats/counted.h"

namespace tickmark::output {

/// One question: a metric of a workload.
struct CountedQuestion {
  std::string workload;
  std::string metric;                           ///< "instructions_per_request", "system_calls_per_request"
  std::string title;                            ///< "instructions per request"
  std::vector<double> baseline, candidate;      ///< the counts, in the order they were made
  std::string baseline_fault, candidate_fault;  ///< why a side could not be counted; "": it could
  std::string tool_fault;                       ///< why nobody can say: a counting tool failed
};

/// What one question comes to.
struct CountedOutcome {
  stats::CountedAnswer answer;  ///< blank where a side could not be counted
  bool valid = false;           ///< both sides have all their counts, and those agree
  std::string why;              ///< a sentence
};

struct CountedComparison {
  std::string baseline, candidate;  ///< ids
  stats::CountedRules rules;
  uint64_t requests = 0;  ///< of each count
  std::vector<CountedQuestion> questions;
  std::vector<std::string> tools;  ///< "valgrind 3.19.0"
  std::string folder;              ///< where it stands on the disk
  std::string command;             ///< repeats it
};

/// REGRESSION also where the candidate cannot be counted and the baseline can, as it is one where it crashes.
CountedOutcome outcome_of(const CountedComparison& comparison, const CountedQuestion& question);

/// The gravest of its questions; INCONCLUSIVE without any.
stats::Verdict verdict_of(const CountedComparison& comparison);

/// What no count can tell, in one paragraph: it stands in every form in which a comparison is told.
extern const char* const kNotSeenByCounting;

/// counted.json (tickmark.counted/1, docs/bundle.md).
Json to_json(const CountedComparison& comparison);

}  // namespace tickmark::output
