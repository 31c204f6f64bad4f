// For tests: what happened, as a list of labels to compare with a literal list.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "reference-loop/async.h"
#include "reference-loop/loop.h"
#include "reference-loop/simulation.h"
#include "reference-loop/timer.h"
#include "reference-loop/watcher.h"

namespace refloop {

using Log = std::vector<std::string>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// Handles whose callbacks are closures, so that a scenario reads from top to bottom.
struct TestTimer : Timer {
  using Timer::Timer;
  std::function<void()> on_fire;
  TestTimer& start_in(Nanos timeout, std::function<void()> callback, Nanos repeat = Nanos{0}) {
    on_fire = std::move(callback);
    (void)start([](Timer& self) { static_cast<TestTimer&>(self).on_fire(); }, timeout, repeat);
    return *this;
  }
};

template <typename Base>
struct TestWatcher : Base {
  using Base::Base;
  std::function<void()> on_turn;
  void each_turn(std::function<void()> callback) {
    on_turn = std::move(callback);
    (void)this->start([](Watcher& self) { static_cast<TestWatcher&>(self).on_turn(); });
  }
};

// Computes for longer than `duration`, in virtual time by saying so.
inline void spin_for(Loop& loop, Nanos duration) {
  if (Simulation* simulation = loop.simulation()) return simulation->spend(duration + Nanos{1});
  const Nanos end = read_clock() + duration;
  while (read_clock() <= end) {
  }
}

// The same, and the loop's clock follows: makes timers overdue for certain.
inline void busy_for(Loop& loop, Nanos duration) {
  spin_for(loop, duration);
  loop.update_time();
}

}  // namespace refloop
