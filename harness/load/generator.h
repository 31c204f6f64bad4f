#pragma once
// One load from ramp to drain: connects, warms up, measures, drains, and reports on itself.

#include <memory>
#include <string>
#include <vector>

#include "harness/load/lane.h"
#include "harness/load/load.h"
#include "harness/load/poller.h"
#include "harness/load/sources.h"

namespace tickmark::load {

/// Phases: ramping (orderly) -> warming up -> measuring -> draining -> done; only requests whose intended
/// time lies in `measuring` are recorded.
class Generator {
 public:
  /// All borrowed, and must outlive the generator.
  Generator(const LoadConfig& config, const LoadHooks& hooks, Poller& poller, Sources& sources);
  Expected<LoadReport> run();

 private:
  Expected<void> ramp();       // orderly
  std::string ramp_failure();  // "" while the ramp may go on
  void warm_up();
  void open_window();
  void storm();
  void close_window();
  void drain();
  LoadReport report();

  void run_until(Nanos until);
  size_t turn(Nanos until);  // how many connections had something
  void look_up(Nanos at);
  void kick_all();
  int served() const;
  bool all_ended() const;

  const LoadConfig& config_;
  const LoadHooks& hooks_;
  Poller& poller_;
  Buffers buffers_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int connections_ = 0;
  Nanos window_start_{0}, window_end_{0};
  bool in_window_ = false;
  Nanos next_interrupt_check_{0}, next_progress_{0};
  Nanos cpu_begin_{0}, spun_begin_{0};
  uint64_t syscalls_begin_ = 0, answered_begin_ = 0;
  std::vector<uint64_t> answered_by_lane_;  // at the window's start, then between the hooks
  LoadReport report_;
};

}  // namespace tickmark::load
