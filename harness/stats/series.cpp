#include "harness/stats/series.h"

#include <cassert>
#include <cmath>

#include "harness/stats/histogram.h"
#include "harness/stats/ruler_mutant.h"

namespace tickmark::stats {

TimeSeries::TimeSeries(Nanos start, Nanos duration, Nanos width) : start_(start), width_(width) {
  assert(duration.count() > 0 && width.count() > 0);
  const auto windows = static_cast<size_t>((duration + width - Nanos{1}) / width);
  points_.resize(windows);
  counts_.resize(windows * kLayout.bucket_count());
}

std::optional<Nanos> TimeSeries::quantile(size_t first, size_t last, double q) const {
  assert(first <= last && last <= points_.size());
  uint64_t n = 0;
  for (size_t w = first; w < last; ++w) n += points_[w].completed;
  if (n == 0) return std::nullopt;
  if (is_ruler_mutant(RulerMutant::averages_percentiles) && last - first > 1) {
    Nanos sum{0};
    for (size_t w = first; w < last; ++w) sum += quantile(w, w + 1, q).value_or(Nanos{0});
    return sum / static_cast<int64_t>(last - first);
  }
  const uint64_t rank = quantile_rank(q, n);
  uint64_t below = 0;
  for (size_t i = 0; i < kLayout.bucket_count(); ++i) {
    uint64_t here = 0;
    for (size_t w = first; w < last; ++w) here += counts_[w * kLayout.bucket_count() + i];
    if (below + here < rank) {
      below += here;
      continue;
    }
    const double width = static_cast<double>(kLayout.highest_at(i) - kLayout.lowest_at(i));
    const double share = (static_cast<double>(rank - below) - 0.5) / static_cast<double>(here);
    return Nanos{static_cast<int64_t>(kLayout.lowest_at(i)) + std::llround(width * share)};
  }
  return std::nullopt;  // unreachable while the points count what the buckets hold
}

Expected<void> TimeSeries::merge(const TimeSeries& other) {
  if (other.start_ != start_ || other.width_ != width_ || other.points_.size() != points_.size()) {
    return usage_error(
        "time series of different windows cannot be merged: give all generators one start and duration");
  }
  for (size_t w = 0; w < points_.size(); ++w) {
    points_[w].completed += other.points_[w].completed;
    points_[w].errors += other.points_[w].errors;
    points_[w].sum += other.points_[w].sum;
    points_[w].max = std::max(points_[w].max, other.points_[w].max);
  }
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  outside_ += other.outside_;
  return {};
}

std::optional<Stationarity> stationarity(const TimeSeries& series) {
  const size_t windows = series.points().size();
  if (windows < 5) return std::nullopt;
  const auto first = series.quantile(0, windows * 2 / 5, 0.5);
  const auto last = series.quantile(windows - windows * 2 / 5, windows, 0.5);
  if (!first || !last || first->count() == 0) return std::nullopt;
  const auto start = series.quantile(0, windows / 5, 0.5);
  const auto rest = series.quantile(windows - windows * 3 / 5, windows, 0.5);
  const double excess = start && rest && rest->count() > 0 ? seconds(*start) / seconds(*rest) - 1 : 0;
  return Stationarity{seconds(*last) / seconds(*first) - 1, excess};
}

}  // namespace tickmark::stats
