// The pool's threads in virtual time: they take work where threads would, in its order, and finish it
// through the pool's own code.
//
// A part of the simulation, not of its interface: simulation.h.
#pragma once

#include <cstddef>
#include <vector>

#include "reference-loop/time.h"

namespace refloop {

class Pool;
class Simulation;
class Work;

class SimulatedWorkers {
 public:
  SimulatedWorkers(Simulation& simulation, Pool& pool, std::size_t threads);

  // One more work is in the queue: a thread that is free will look for it.
  void work_arrived();
  // Drawn timing: all that starts and finishes by `time`. Open timing: all that can start starts.
  void run_until(Nanos time);
  // When run_until() has something to do; Nanos::max(): never.
  Nanos next_time() const;

  // Open timing: whether something runs, which may finish at any moment; and the choice of what does.
  bool has_running() const { return running_ > 0; }
  Nanos earliest_finish() const;
  void finish_some(bool at_least_one);
  // Open timing: what is submitted may or may not have been started by now.
  void start_some();

 private:
  struct Worker {
    Work* work = nullptr;
    Nanos time = Nanos::max();  // of its next step: to look for work, or to finish
  };

  void step(std::size_t index);
  void start(std::size_t index);
  void finish(std::size_t index);
  std::size_t pick_earliest(Nanos time);

  Simulation& simulation_;
  Pool& pool_;
  std::vector<Worker> workers_;
  std::vector<std::size_t> candidates_;  // scratch
  std::size_t running_ = 0;
};

}  // namespace refloop
