#pragma once
// What the load generator is asked, and what it answers. The generator is the ruler: it shares no code
// with any loop under test, and every number it gives carries what is needed to doubt it.
//
// A load is one or more *lanes* on one target: each lane has its own client half, connections, arrivals
// and histograms (the cpu workload: a lane of heavy requests, a lane of light probes beside it).

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/load/spin.h"
#include "harness/stats/histogram.h"
#include "harness/stats/series.h"
#include "harness/vocabulary/client.h"

namespace tickmark::load {

enum class Arrivals { kPoisson, kConstant, kClosed };

/// Orderly: bounded ramp; every connection is answered once (deadline) before the clock starts.
/// Storm: all connections connect and speak at once at time 0; who is never served is the result.
enum class Scenario { kOrderly, kStorm };

struct LaneConfig {
  std::string name = "main";
  const Client* client = nullptr;  ///< borrowed; must outlive the load
  int connections = 1;             ///< >= 1
  Arrivals arrivals = Arrivals::kPoisson;
  double rate_per_s = 0;  ///< open loop only, > 0, all connections of the lane together
  uint16_t port = 0;      ///< of this lane alone, at the load's address; 0: the load's
};

/// One measured request that was answered correctly, all times on CLOCK_MONOTONIC.
struct RequestRecord {
  uint64_t number = 0;  ///< of its lane
  Nanos intended{0}, sent{0}, seen{0};
};

struct LoadConfig {
  std::string address = "127.0.0.1";  ///< numeric IPv4
  uint16_t port = 0;
  std::vector<LaneConfig> lanes;
  Scenario scenario = Scenario::kOrderly;
  Nanos warmup{0};             ///< load runs, nothing is recorded
  Nanos duration{0};           ///< the measured window
  Nanos drain = 1s;            ///< after the window: how long unanswered requests may still complete
  Nanos request_timeout = 5s;  ///< from the intended send time; then counted as a timeout
  double ramp_per_s = 20'000;  ///< connects per second, orderly scenario
  Nanos ramp_deadline = 20s;   ///< for "every connection answered once"
  uint64_t seed = 1;           ///< of arrivals and their assignment to connections
  int cpu = -1;                ///< pin the generator's thread to this core; -1 = leave it
  /// Run the generator's thread under SCHED_FIFO where that is permitted, so that a subject on the same core
  /// does not delay it. For light loads on shared cores; never with `spin`, which would starve the kernel.
  bool realtime = false;
  Spin spin = Spin::kNever;
  /// Borrowed; gets every completed request of every lane, in order of their ends. For proofs that hold each
  /// against what the server says of it; reserve it beforehand. Null: only histograms are kept.
  std::vector<RequestRecord>* records = nullptr;
};

/// scheduled = completed + errors + timeouts + in_flight + unsent, exactly: requests whose intended time
/// lies in the measured window.
struct Counts {
  uint64_t scheduled = 0, completed = 0, errors = 0, timeouts = 0, in_flight = 0, unsent = 0;
};

/// One window of the time series, measured from the start of the window of measurement.
struct SeriesPoint {
  Nanos start{0};
  uint64_t completed = 0;
  uint64_t errors = 0;
  Nanos latency_p50{0}, latency_p99{0}, latency_max{0};
};

struct LaneReport {
  std::string name;
  Counts counts;
  uint64_t answered_between_hooks = 0;  ///< as LoadReport's
  int connections_requested = 0, connections_established = 0;
  uint64_t connections_never_served = 0;  ///< no correct reply at all until the end of the window
  uint64_t connections_lost = 0;          ///< closed or reset by the subject during the load
  Nanos oldest_unanswered{0};             ///< age, at the window's end, of the oldest request without a reply
  stats::Histogram response_time;         ///< from the intended send time
  stats::Histogram service_time;          ///< from the actual send time
  stats::Histogram censored;              ///< lower bounds of requests unanswered at the end (from intended)
  stats::Histogram connection_wait;       ///< intended request waiting for its busy connection
  stats::Histogram connect_time;          ///< connect() to established
  uint64_t reconnects = 0;                ///< connects after the first one of each connection
  double achieved_rate_per_s = 0;         ///< completed within the window / window
  double scheduled_rate_per_s = 0;        ///< arrivals scheduled in the window / window
  double offered_rate_per_s = 0;          ///< what the lane was asked to offer; 0 in a closed loop
  double little_error = 0;                ///< relative; > 0.001 makes the trial INVALID
  uint64_t bytes_sent = 0, bytes_received = 0;
  double header_bytes_per_reply = 0;  ///< HTTP only
  double bytes_per_reply = 0;         ///< HTTP only: headers and body
  uint64_t wrong_replies = 0;         ///< first one kept in `wrong_reply`; any disqualifies
  std::string wrong_reply;            ///< request number, what was expected, what was seen
  std::vector<SeriesPoint> series;
  std::optional<stats::Stationarity> stationarity;  ///< nothing where the window is too short to tell
};

/// The ruler's report on itself.
struct ClientReport {
  double cpu_utilisation = 0;  ///< of its thread in the window, spinning excluded, 0..1
  Nanos cpu_time{0};           ///< of its thread in the window
  stats::Histogram lateness;   ///< actual minus due, for sends delayed by the generator itself
  double late_share = 0;       ///< share of sends more than 100 us late
  uint64_t syscalls = 0;       ///< sends + receives + waits, counted by the generator
  bool realtime = false;       ///< its thread ran under SCHED_FIFO
  Nanos ramp_time{0};          ///< until every connection was answered once
  Nanos end_hook_time{0};      ///< of on_window_end: replies that came meanwhile were stamped late
};

struct LoadReport {
  std::vector<LaneReport> lanes;
  ClientReport client;
  Nanos window{0};  ///< measured length of the window
  /// Correct replies, measured or not, between the hooks at the window's start and end: what the CPU time
  /// read there was spent on (a generator that was held up calls the second one late, and more has been
  /// answered).
  uint64_t answered_between_hooks = 0;
  bool interrupted = false;
  std::string failure;  ///< "" or why the load could not be completed (ramp deadline, refused ...)
};

/// Called from the generator's thread at phase edges only, so that CPU and memory of the subject are read
/// exactly around the window. Must be quick.
struct LoadHooks {
  /// Orderly: every connection has been answered once, nothing is due before it returns (memory is read here:
  /// it may take some 10 ms). Storm: just before the first connect. Then the warm-up begins.
  std::function<void()> on_ramp_end;
  std::function<void()> on_window_start;
  std::function<void()> on_window_end;
  std::function<bool()> interrupted;  ///< polled about every 100 ms; true ends the load early
  std::function<void(Nanos elapsed, uint64_t completed)> progress;  ///< about 4 Hz
};

/// Runs the load in the calling thread. Errors are of the environment (too few descriptors, no route,
/// port refused before anything was measured); faults of the target during the load are in the report.
Expected<LoadReport> run_load(const LoadConfig& config, const LoadHooks& hooks = {});

}  // namespace tickmark::load
