#pragma once
// How a run went over time: enough to draw the series and to see whether the measured window was
// stationary, in memory that is fixed before the run begins.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/stats/log_linear_layout.h"

namespace tickmark::stats {

/// Equal windows from `start`, each with its counts and a coarse histogram (32 buckets per octave,
/// 4.2 KiB a window). The caller decides by which time a value belongs to a window; by the intended send
/// time a freeze shows where it happened.
class TimeSeries {
 public:
  /// Allocates everything. `duration` and `width` > 0; a last window may reach beyond the duration.
  TimeSeries(Nanos start, Nanos duration, Nanos width = Nanos{100ms});

  /// One completed request. Times outside the series are only counted; a value outside the layout saturates.
  void record(Nanos at, Nanos value) {
    if (Point* const point = find(at)) {
      ++point->completed;
      const int64_t ns = std::clamp<int64_t>(value.count(), 0, static_cast<int64_t>(kLayout.max_value()));
      point->sum += Nanos{ns};
      point->max = std::max(point->max, Nanos{ns});
      ++counts_[static_cast<size_t>(point - points_.data()) * kLayout.bucket_count() +
                kLayout.index_of(static_cast<uint64_t>(ns))];
    }
  }

  /// One failed or timed-out request.
  void record_error(Nanos at) {
    if (Point* const point = find(at)) ++point->errors;
  }

  struct Point {
    uint32_t completed = 0;
    uint32_t errors = 0;
    Nanos sum{};
    Nanos max{};
  };

  Nanos start() const { return start_; }
  Nanos width() const { return width_; }
  std::span<const Point> points() const { return points_; }
  uint64_t outside() const { return outside_; }  ///< values whose time lay before or behind all windows

  /// The q-quantile over the windows [first, last), interpolated inside its bucket: within 3.2 % of the exact
  /// one. Nothing if they are empty.
  std::optional<Nanos> quantile(size_t first, size_t last, double q) const;

  /// Adds another generator's series of the same start, duration and width; refuses others and changes
  /// nothing.
  Expected<void> merge(const TimeSeries& other);

 private:
  static constexpr LogLinearLayout kLayout{5, 37};

  Point* find(Nanos at) {
    const int64_t index = (at - start_).count() / width_.count();
    if (at >= start_ && index < static_cast<int64_t>(points_.size()))
      return &points_[static_cast<size_t>(index)];
    ++outside_;
    return nullptr;
  }

  Nanos start_;
  Nanos width_;
  std::vector<Point> points_;
  std::vector<uint32_t> counts_;  // window by window; 2^32 values in one window are out of reach
  uint64_t outside_ = 0;
};

/// Each is the change of the median or of the mean, whichever is smaller, and 0 if they contradict each
/// other: the median of two kinds of requests jumps from one to the other, and the mean follows a few slow
/// ones.
struct Stationarity {
  double drift = 0;         ///< last two fifths / first two fifths - 1
  double start_excess = 0;  ///< first fifth / last three fifths - 1

  static constexpr double kBudget = 0.10;
  bool stationary() const { return drift > -kBudget && drift < kBudget; }
};

/// A budget on an effect, not a hypothesis test: with 10^5 values every test rejects (METHOD.md section 4).
/// Nothing if the series has fewer than 5 windows or no values in either part.
std::optional<Stationarity> stationarity(const TimeSeries& series);

}  // namespace tickmark::stats
