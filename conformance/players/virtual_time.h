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
  explicit VirtualTime(uint64_t seed)
      : seed_(seed), simulation_(make(seed, refloop::SimulationOptions{}.start)) {}

  /// A fresh simulation for the run the recorder has started; the one before must have lost its loop. Its
  /// schedule follows from the seed, the scenario and the number of the run alone: a run is the same whatever
  /// was played before it.
  refloop::Simulation& next(const Recorder& recorder);
  /// Reading the clock takes time, as it does in life: stamps tell what came first.
  Nanos now();

 private:
  static std::unique_ptr<refloop::Simulation> make(uint64_t seed, Nanos start);

  uint64_t seed_;
  std::unique_ptr<refloop::Simulation> simulation_;
};

/// The options `time` (real, virtual) and `seed`. Nothing: time is real, also if they are not given. Usage
/// error for other values.
Expected<std::unique_ptr<VirtualTime>> virtual_time_option(const Parameters& options);

}  // namespace tickmark::conformance
