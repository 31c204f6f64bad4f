#pragma once
// What a person sees while it runs: one live line on a terminal, plain lines elsewhere. Written by the
// harness's own thread only, between and during trials at 4 Hz: drawing must not disturb the measured.

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/time.h"

namespace tickmark::output {

/// Where a run stands.
struct ProgressState {
  std::string subject, cell;
  int block = 0, blocks = 1;  ///< block counts from 0
  int done = 0, total = 0;    ///< trials
  Nanos eta{0};               ///< until the last trial ends
  uint64_t completed = 0;     ///< requests of the trial so far
  Nanos silent{0};            ///< how long the trial has brought no reply
};

/// The live line, at most `width` columns: the cell's name gives way first, the ETA never.
std::string progress_line(const ProgressState& state, int width);
/// "1m12s", "48s"
std::string duration_text(Nanos duration);

class Progress {
 public:
  /// `live`: draw one line over and over (a terminal); else one line per event. `colour`: ANSI colours.
  Progress(int fd, bool live, bool colour) : fd_(fd), live_(live), colour_(colour) {}
  /// Standard error: live if it is a terminal that can move its cursor; colour unless NO_COLOR is set.
  static Progress on_stderr();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Redraws the live line, at most four times a second. Nothing where lines are plain.
  void tick(const ProgressState& state, Nanos at = now());
  /// A trial has ended. Plain: always one line. Live: one line only for what did not go well.
  void trial_ended(const ProgressState& state, std::string_view status, std::string_view detail);
  /// A line that stays.
  void say(std::string_view text);

 private:
  void clear();
  void put(std::string_view text);
  int width() const;

  int fd_;
  bool live_, colour_;
  bool drawn_ = false;
  Nanos last_drawn_{-1'000'000'000};
};

}  // namespace tickmark::output
