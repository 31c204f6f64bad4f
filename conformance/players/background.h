#pragma once
// The background program: a seeded random mix of everything the loop calls back, run in the same loop as a
// live workload, so that the loop's promises are judged under its load and not only in a laboratory.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "conformance/players/scenario.h"
#include "harness/base/random.h"
#include "reference-loop/loop.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"

namespace tickmark::conformance {

class BackgroundProgram {
 public:
  /// Starts nothing yet. `stop_asked` becomes true when the harness wants the end (its stdin has closed).
  BackgroundProgram(refloop::Loop& loop, const Background& parameters, const std::atomic<bool>& stop_asked);
  ~BackgroundProgram();

  /// Starts the driver: some thousand actions a second until the duration is over and the end was asked for;
  /// then, when the last of them has been called back, the loop is stopped.
  void start();

 private:
  struct Job;
  struct ClosingTimer;

  void drive();
  void act();
  void act_nested(unsigned depth);
  void burst_of_ticks();
  void burst_of_immediates();
  void timeouts_of_one_duration();
  void short_interval();
  void loop_timers();
  void pool_work();
  void cancel_work();
  void close_handles();
  void wake_async();
  void one_turn_watchers();
  void ended();
  refloop::Task counted(refloop::Task then);

  refloop::Loop& loop_;
  refloop::NodeLayer node_;
  Background parameters_;
  const std::atomic<bool>& stop_asked_;
  SplitMix64 random_;
  Nanos end_{0};
  Nanos asked_at_{0};  ///< when the driver saw that it should end
  refloop::TimeoutId driver_{};
  uint64_t outstanding_ = 0;  ///< actions whose callback has not run
  bool driving_ = false;
};

}  // namespace tickmark::conformance
