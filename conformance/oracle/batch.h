#pragma once
// One player process: which rules it plays, how often, and what its trace and its end say about them.

#include <string>
#include <vector>

#include "conformance/oracle/conform.h"

namespace tickmark::conformance {

/// A rule and the tally its runs go into.
struct Entry {
  const Rule* rule = nullptr;
  Tally tally;
};

struct Batch {
  std::vector<Entry*> entries;  ///< all of one pool size
  unsigned repeat = 1;          ///< runs of each in this process
  std::string mode{};           ///< where main runs; "" = in a script
  unsigned lane = 0;            ///< batches of different lanes are played at the same time
};

/// Plays the batch; on a crash or a hang names the scenario that was in flight and plays the rest in a new
/// process. Entries that got no runs stay as they are.
Expected<void> play_batch(const ConformPlan& plan, const RunProcess& run, Batch batch);

}  // namespace tickmark::conformance
