#pragma once
// Made-up machines for the gate: blocks with the kinds of noise that were seen on real ones, and a true
// slowdown that is known. What the tests and `scripts/prove power` judge the whole gate on.

#include <cstdint>
#include <vector>

#include "harness/base/random.h"
#include "harness/stats/gate.h"

namespace tickmark::stats {

/// What a machine does to the logarithm of a metric. Both arms of a block meet the same machine, each in a
/// slot of its own, in random order.
struct BlockNoise {
  double drift = 0.10;        ///< standard deviation of the block's mood, common to both slots
  double drift_memory = 0.8;  ///< its correlation from block to block
  double slot = 0.03;         ///< standard deviation of what differs between the slots, normal
  double skew = 0.01;  ///< mean of what only ever adds to a slot, exponential: the noise is not symmetric
  double hit_chance = 0.06;                  ///< a slot is hit by a neighbour ...
  double hit_least = 0.05, hit_most = 0.30;  ///< ... and its value grows by such a share
  double second_slot = 0.012;                ///< what running second adds
  double grain = 0;                          ///< values are multiples of it (pages); 0: they are not
  /// The covariate's log-ratio is one of +-wait_apart, and normal about it: one arm has got the better place.
  double wait_apart = 0, wait_spread = 0;
  double wait_slope = 0;  ///< what of it is added to the log-ratio
};

/// The noise of three machines, by their slot noise: nobody else there, a usual virtual machine, a busy one.
BlockNoise quiet_machine();
BlockNoise usual_machine();
BlockNoise busy_machine();
/// Two cores, a spinner on each, both arms at the same time on one of them: as seen, 7 % from block to block,
/// of which run-queue wait explains all but 1.4 %.
BlockNoise contended_machine();
/// Memory per connection: hardly any noise, but whole pages only.
BlockNoise memory_noise();

struct SimulatedMetric {
  BlockNoise noise;
  double slowdown = 0;    ///< the truth, as a share
  double wait_moved = 0;  ///< what the slowdown itself does to the covariate's log-ratio
};

/// Gives one block after another.
class SimulatedBlocks {
 public:
  SimulatedBlocks(std::vector<SimulatedMetric> metrics, uint64_t seed);
  /// One per metric; valid until the next call.
  const std::vector<BlockValue>& next();

 private:
  std::vector<SimulatedMetric> metrics_;
  std::vector<double> moods_;
  std::vector<BlockValue> block_;
  SplitMix64 random_;
};

/// One comparison by the whole gate.
GateResult simulated_comparison(const GateRules& rules, const std::vector<SimulatedMetric>& metrics,
                                uint64_t seed);

/// How many of them came to what.
struct SimulatedRates {
  int comparisons = 0;
  int regressions = 0;         ///< verdict REGRESSION, confirmed where the rules want it
  int first_stage_alarms = 0;  ///< the first stage said REGRESSION
  int oks = 0;                 ///< verdict OK
  int intervals = 0,
      covering = 0;  ///< of the first stage's last look: all metrics, and those that hold the truth
  std::vector<int> alarms_by_look;  ///< the first stage said REGRESSION at this look or before
  double blocks = 0;                ///< mean number of blocks, both stages
  double estimate = 0;  ///< mean of the first metric's estimate at the first stage's last look, a share
};

/// Comparison i is made of seed + i.
SimulatedRates simulated_rates(const GateRules& rules, const std::vector<SimulatedMetric>& metrics,
                               int comparisons, uint64_t seed);

/// So many of `n` are still no sign (1 in 1,000) that the chance of one exceeds `rate`.
double at_most(int n, double rate);

/// The default family: CPU per request, with its covariate, and memory per connection.
GateRules default_gate_rules();

}  // namespace tickmark::stats
