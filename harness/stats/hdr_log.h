#pragma once
// The text around encoded histograms: an HdrHistogram interval log, one line per interval, readable by
// Java's HistogramLogProcessor; and the percentile table that hdr-plot and friends draw.
//
// Non-goal: files. Writers return strings and the reader takes one; who opens files is harness/output.

#include <optional>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/stats/histogram.h"

namespace tickmark::stats {

/// The head of a log. `comment` becomes the first line (one line of text); `start_since_epoch` is the
/// wall-clock time to which the start of every interval is relative.
std::string hdr_log_header(std::string_view comment, Nanos start_since_epoch);

/// One line of a log, newline included. A tag is free text; what the format cannot hold in one (space,
/// comma, line break, '%', control characters) is written %XX and read back by HdrLogReader. Times are
/// kept to the millisecond, the maximum is in milliseconds (Java's convention), counts are exact.
std::string hdr_log_line(std::string_view tag, Nanos start, Nanos length, const Histogram& histogram);

/// One interval of a log.
struct HdrLogEntry {
  std::string tag;  ///< empty if the line had none
  Nanos start{};    ///< relative to the log's start time, as written
  Nanos length{};
  Histogram histogram;
};

/// Reads a log line by line, so that memory stays that of one histogram. `text` must outlive the reader.
/// An incomplete last line (no newline: its writer was killed) is dropped and reported.
class HdrLogReader {
 public:
  explicit HdrLogReader(std::string_view text) : rest_(text) {}

  /// The next interval; nothing at the end; an error that names the line. After an error the reader
  /// stands behind the bad line and may go on.
  Expected<std::optional<HdrLogEntry>> next();

  /// From the StartTime comment, once next() has passed it.
  std::optional<Nanos> start_since_epoch() const { return start_since_epoch_; }
  /// True at the end if the last line was incomplete.
  bool dropped_incomplete_line() const { return dropped_incomplete_line_; }

 private:
  std::string_view rest_;
  size_t line_number_ = 0;
  std::optional<Nanos> start_since_epoch_;
  bool dropped_incomplete_line_ = false;
};

/// HdrHistogram's percentile table ("Value Percentile TotalCount 1/(1-Percentile)" and three comment lines),
/// values divided by `unit`, with `ticks_per_half` > 0 lines each time the distance to 100 % halves.
std::string hdr_percentile_table(const Histogram& histogram, Nanos unit = Nanos{1ms}, int ticks_per_half = 5);

}  // namespace tickmark::stats
