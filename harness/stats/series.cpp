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

namespace {

std::optional<double> mean_ns(const TimeSeries& series, size_t first, size_t last) {
  double sum = 0, count = 0;
  for (size_t w = first; w < last; ++w) {
    sum += static_cast<double>(series.points()[w].sum.count());
    count += series.points()[w].completed;
  }
  return count > 0 && sum > 0 ? std::optional(sum / count) : std::nullopt;
}

struct Windows {
  size_t first = 0, last = 0;  ///< the last is not one of them
};

/// later / earlier - 1, as Stationarity says; nothing if either has no values.
std::optional<double> change(const TimeSeries& series, Windows earlier, Windows later) {
  const auto median_before = series.quantile(earlier.first, earlier.last, 0.5);
  const auto median_after = series.quantile(later.first, later.last, 0.5);
  const auto mean_before = mean_ns(series, earlier.first, earlier.last);
  const auto mean_after = mean_ns(series, later.first, later.last);
  if (!median_before || !median_after || !mean_before || !mean_after || median_before->count() == 0)
    return std::nullopt;
  const double by_median = std::log(seconds(*median_after) / seconds(*median_before));
  const double by_mean = std::log(*mean_after / *mean_before);
  if (by_median * by_mean <= 0) return 0;
  return std::expm1(std::abs(by_median) < std::abs(by_mean) ? by_median : by_mean);
}

}  // namespace

std::optional<Stationarity> stationarity(const TimeSeries& series) {
  const size_t n = series.points().size();
  if (n < 5) return std::nullopt;
  const auto drift = change(series, {0, n * 2 / 5}, {n - n * 2 / 5, n});
  if (!drift) return std::nullopt;
  return Stationarity{*drift, change(series, {n - n * 3 / 5, n}, {0, n / 5}).value_or(0)};
}

}  // namespace tickmark::stats
