#pragma once
// Which runtime's order the acceptor asks for: a row of what differs between versions.

#include <map>
#include <string>

namespace tickmark::programs {

struct Profile {
  /// Ticks and microtasks run after every timeout and immediate (Node 11, nodejs/node#22842). Before that,
  /// after the last immediate of a check phase, and after the last timeout of a run of one duration.
  bool drains_between = true;
  /// A pass of the timers phase reads the clock once. Before Node 11 every list did, and what was armed in a
  /// pass might fall due in it.
  bool pass_reads_clock_once = true;
  /// libuv takes a snapshot of the timers that are due (1.48, libuv/libuv#4250). Before that the one timer
  /// behind all timeouts, started again at the end of a pass, fires again in the same phase if the drain
  /// behind the pass takes so long that it is due; and with it what was armed in the first pass.
  bool phase_has_one_pass = true;
  /// An unref'ed timeout keeps its place among those of its duration. Before Node 11 it had a list of its
  /// own.
  bool unref_keeps_place = true;
  /// Jobs from an `await` of a settled promise to what follows it: 3 before V8 7.3 (Node 12).
  int await_jobs = 1;
  /// What comes behind an error is known: reference-loop/node_layer.h. It is a habit of Node's, promised by
  /// nobody.
  bool knows_errors = true;
  /// Ticks that an error has left over run at the start of the check phase; from Node 26 behind its first
  /// immediate.
  bool leftovers_before_immediates = true;
  /// A program begins where a main script does: before the timers phase. Otherwise in the check phase.
  bool begins_before_timers = true;
  /// Whether there is a handle whose close callback runs in the closing phase.
  bool can_close = true;
  /// How much of a `block` may be lost to the granularity of two clocks, ms: it is measured with another
  /// clock than the loop's.
  int clock_slack_ms = 2;
};

/// Of virtual time, where there is only one clock: node 22, as the reference loop's layer is.
constexpr Profile virtual_profile() { return {.clock_slack_ms = 0}; }

/// From what `describe` says of a subject: "node" decides; without it the layer of the reference loop,
/// node 22.
Profile profile_of(const std::map<std::string, std::string>& versions);

}  // namespace tickmark::programs
