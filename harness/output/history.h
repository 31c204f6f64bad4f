#pragma once
// What runs of many days have in common: one line per run with the ratios of every subject to a canary, in a
// file that grows (docs/history.md). Values of different days are not compared, only ratios within a run are.
//
// The canary of a cell is the first of kCanaries that the plan puts into it, else the run's reference
// subject. A canary must stay what it is while others change: raw_epoll is one page of code with no loop of
// ours in it, but speaks sockets only; thread_per_connection has no loop at all and speaks everything. The
// reference subject usually is the loop under development, so it is the last resort. The plan decides, never
// what came out: a canary that failed leaves a gap, not another series.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/output/bundle_reader.h"
#include "harness/stats/paired.h"

namespace tickmark::output {

inline constexpr std::string_view kHistorySchema = "tickmark.history";
inline constexpr const char* kCanaries[] = {"raw_epoll", "thread_per_connection"};
/// Of the metrics in compared_metrics(): those that a person follows over months.
inline constexpr const char* kFollowedMetrics[] = {"throughput_per_s", "latency_ns_p50", "latency_ns_p99",
                                                   "cpu_ns_per_request", "memory_bytes_per_connection"};

/// The line of a run, from its valid trials alone. Error (kUsage): the sentence why it has none: it is not
/// complete, its machine must not be compared, or nobody ran beside a canary.
Expected<Json> history_record(const Bundle& bundle);

/// That `file` can be appended to, before hours are spent on a run for it. Makes an empty one.
Expected<void> check_history(const std::filesystem::path& file);

/// Appends one whole line, on the disk when this returns. A line that somebody cut off before stays a line of
/// its own. Several processes may append at the same time.
Expected<void> append_history(const std::filesystem::path& file, const Json& record);

struct History {
  std::vector<Json> runs;          ///< in the order of their beginning
  std::vector<std::string> notes;  ///< a sentence for each line that is none of ours
};

/// Any bytes. `name` is used in notes.
History parse_history(std::string_view text, std::string_view name);
/// kUsage: it cannot be read, or not one line of it is a run's.
Expected<History> read_history(const std::filesystem::path& file);

/// One run in a series.
struct HistoryPoint {
  std::string utc;       ///< when the run began
  std::string git;       ///< the build of tickmark, so of the canary, and of the subjects built with it
  std::string versions;  ///< of the subject: "node 20.20.2, uv 1.46.0"
  double ratio = 1;      ///< subject / canary; positive
  std::optional<stats::Interval> interval;  ///< of the ratio, 95 %; absent where the run had too few blocks
};

/// What one subject did, relative to one canary, on one machine.
struct HistorySeries {
  std::string machine, cell, metric, subject, canary;
  bool higher_is_better = false;
  std::vector<HistoryPoint> points;  ///< in the order of the runs
};

/// Sorted by machine, cell, metric, subject, canary.
std::vector<HistorySeries> history_series(const History& history);

}  // namespace tickmark::output
