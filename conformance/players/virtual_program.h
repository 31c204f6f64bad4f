#pragma once
// Random programs in virtual time, thousands on one loop: each has a schedule of its own, drawn from a seed
// and its id, and begins on a whole second, so that it is the same whatever was played before it.

#include <memory>

#include "conformance/players/refloop_program.h"
#include "reference-loop/simulation.h"

namespace tickmark::programs {

/// What a machine does that is neither idle nor overloaded: now and then the thread loses its core for as
/// long as timeouts notice.
inline constexpr Stalls kOrdinaryStalls{.permille = 30, .most = 12ms};

/// The knobs of a legal perturbation: everything late, short, out of order, often.
struct Perturbation {
  Stalls stalls = kOrdinaryStalls;
  unsigned late_permille = 50;
  Nanos late_most = 1ms;
  Nanos work_most = 200us;  ///< an operation takes up to this
};

/// As Node.fz does to libuv (EuroSys 2017): timers late by up to a few of their durations, completions
/// delayed until long after, the thread stalled at every fourth chance.
inline constexpr Perturbation kHeavyPerturbation{
    .stalls = {.permille = 250, .most = 30ms}, .late_permille = 500, .late_most = 15ms, .work_most = 20ms};

class VirtualProgram {
 public:
  explicit VirtualProgram(uint64_t seed, const Perturbation& perturbation = {});
  const Run& play(const Program& program);
  void note_times(bool noted) { player_->note_times(noted); }

 private:
  const uint64_t seed_;
  refloop::SeededChoices choices_;
  refloop::Simulation simulation_;
  std::unique_ptr<refloop::Loop> loop_;
  std::unique_ptr<RefloopProgram> player_;
};

}  // namespace tickmark::programs
