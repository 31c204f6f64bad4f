#pragma once
// Virtual time for the reference loop's player: one simulation per run, on a clock that goes on from run to
// run.

#include <memory>

#include "conformance/players/recorder.h"
#include "harness/vocabulary/service.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance {

class VirtualTime {
 public:
  /// `world`: what the simulation may do; its seed and its start are set for each run.
  VirtualTime(uint64_t seed, const refloop::SimulationOptions& world)
      : seed_(seed), world_(world), simulation_(make(seed, world.start)) {}

  /// A fresh simulation for the run the recorder has started; the one before must have lost its loop. Its
  /// schedule follows from the seed, the scenario and the number of the run alone: a run is the same whatever
  /// was played before it.
  refloop::Simulation& next(const Recorder& recorder);
  /// Reading the clock takes time, as it does in life: stamps tell what came first.
  Nanos now();

 private:
  std::unique_ptr<refloop::Simulation> make(uint64_t seed, Nanos start) const;

  uint64_t seed_;
  refloop::SimulationOptions world_;
  std::unique_ptr<refloop::Simulation> simulation_;
};

/// The options `time` (real, virtual), `seed` and `perturb`. Nothing: time is real, also if they are not
/// given. Usage error for other values. What a schedule may differ in is always drawn: which of several ready
/// things comes first, when work and bytes arrive, how short reads and writes are, when the thread loses its
/// core. `perturb` says how wildly:
///
///   off      as a machine at rest would
///   legal    completions delayed by milliseconds, a quarter of all waits up to 8 ms late, a third of all
///            reads and writes short: the knobs of a schedule fuzzer (Davis et al., Node.fz), each within the
///            loop's promises
///   closes   that, and one close in twenty waits a turn: which the rules of the loop layer forbid, and those
///            of the node layer do not see
Expected<std::unique_ptr<VirtualTime>> virtual_time_option(const Parameters& options);

}  // namespace tickmark::conformance
