#pragma once
// How long each cell warms up, as a run goes on: a plan's warm-up can be too short for a subject that
// compiles while it runs, or on a slower machine, and then every block of it would be void.
//
// The rule stands in the plan before the first result: a trial that rule `warm_up` made void doubles the
// warm-up of its cell from the next block on, for all subjects alike, at most twice. What decides are blocks
// that count for nothing; a block that counts is never chosen by its own result, and the arms of a block
// always warm up equally.

#include <map>
#include <set>
#include <string>

#include "harness/output/json_access.h"
#include "harness/run/plan.h"

namespace tickmark::run {

class WarmUps {
 public:
  /// Doubled at most so often.
  static constexpr int kDoublingsMax = 2;
  /// plan.json's `warmup_rule`.
  static const char* rule();

  /// The cell's warm-up in the block that runs now.
  Nanos of(const PlannedCell& cell) const;
  /// `trial`: a record of trials.ndjson, of the block that runs now.
  void learn(const output::Json& trial);
  /// What was learnt holds from now on.
  void end_block();

 private:
  std::map<std::string, int> doublings_;  ///< by cell
  std::set<std::string> too_short_;       ///< cells, in this block
};

}  // namespace tickmark::run
