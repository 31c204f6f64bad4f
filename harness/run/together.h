#pragma once
// Trials of several subjects at the same time, on the same core: whatever the machine does, it does to all of
// them at every instant. That cancels what keeps two trials one after the other from being compared to a few
// per cent; in exchange they share caches and wait for each other, so latencies mean little. For a fixed rate
// only.

#include <vector>

#include "harness/run/trial.h"

namespace tickmark::run {

/// One trial per setup, in the order in which the subjects are started and connected to; all of one cell and
/// block. Each gets the cell's lanes for itself. A subject that fails spoils the load: the others are
/// `invalid`. Errors as run_trial.
Expected<std::vector<TrialOutcome>> run_together(const std::vector<TrialSetup>& setups);

}  // namespace tickmark::run
