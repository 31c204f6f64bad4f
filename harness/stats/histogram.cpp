#include "harness/stats/histogram.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/core.h>

namespace tickmark::stats {

namespace {

Nanos as_nanos(uint64_t ns) { return Nanos{static_cast<int64_t>(ns)}; }

}  // namespace

Histogram::Histogram(LogLinearLayout layout) : layout_(layout), max_value_(layout.max_value()) {
  assert(layout.valid());
  counts_.assign(layout.bucket_count(), 0);
}

Histogram Histogram::from_counts(LogLinearLayout layout, std::span<const uint64_t> counts) {
  assert(counts.size() <= layout.bucket_count());
  Histogram h(layout);
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const uint64_t low = layout.lowest_at(i);
    const uint64_t high = layout.highest_at(i);
    h.counts_[i] = counts[i];
    h.count_ += counts[i];
    h.sum_ns_ += static_cast<unsigned __int128>(low + (high - low) / 2) * counts[i];
    h.min_ = std::min(h.min_, low);
    h.max_ = std::max(h.max_, high);
  }
  return h;
}

Expected<void> Histogram::merge(const Histogram& other) {
  if (other.layout_ != layout_) {
    return usage_error(fmt::format(
        "histograms of different layouts cannot be merged exactly: this one has 2^{} buckets per octave up "
        "to "
        "2^{} ns, the other 2^{} up to 2^{} ns; record both with the same layout",
        layout_.precision_bits, layout_.range_bits, other.layout_.precision_bits, other.layout_.range_bits));
  }
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  below_range_ += other.below_range_;
  above_range_ += other.above_range_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ns_ += other.sum_ns_;
  return {};
}

void Histogram::clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = below_range_ = above_range_ = max_ = 0;
  min_ = UINT64_MAX;
  sum_ns_ = 0;
}

std::optional<Nanos> Histogram::min() const { return empty() ? std::nullopt : std::optional(as_nanos(min_)); }

std::optional<Nanos> Histogram::max() const { return empty() ? std::nullopt : std::optional(as_nanos(max_)); }

std::optional<double> Histogram::mean_ns() const {
  if (empty()) return std::nullopt;
  return static_cast<double>(sum_ns_) / static_cast<double>(count_);
}

std::optional<Nanos> Histogram::quantile(double q) const {
  if (empty()) return std::nullopt;
  const uint64_t rank = quantile_rank(q, count_);
  uint64_t cumulative = 0;
  for (size_t i = layout_.index_of(min_); i < counts_.size(); ++i) {
    cumulative += counts_[i];
    if (cumulative >= rank) return as_nanos(std::min(layout_.highest_at(i), max_));
  }
  return as_nanos(max_);  // unreachable while count_ is the sum of counts_
}

uint64_t quantile_rank(double q, uint64_t n) {
  assert(n > 0 && q >= 0 && q <= 1);
  const double rank = std::ceil(std::nextafter(q, 0.0) * static_cast<double>(n));
  return std::clamp<uint64_t>(static_cast<uint64_t>(rank), 1, n);
}

bool percentile_supported(uint64_t n, double p) {
  assert(p >= 0 && p <= 1);
  // 100 * (1 - 0.9) is 9.999999999999998 in doubles and means ten.
  return static_cast<double>(n) * (1.0 - p) >= 10.0 * (1.0 - 1e-9);
}

std::optional<CensoredQuantile> censored_quantile(const Histogram& completed, const Histogram& lower_bounds,
                                                  double q) {
  assert(completed.layout() == lower_bounds.layout());
  const uint64_t n = completed.count() + lower_bounds.count();
  if (n == 0) return std::nullopt;
  const uint64_t rank = quantile_rank(q, n);
  Histogram pooled = completed;
  const bool merged = pooled.merge(lower_bounds).has_value();
  assert(merged);
  CensoredQuantile result;
  result.value = *pooled.quantile(q);
  result.at_least = lower_bounds.count() + completed.above_range() > n - rank;
  if (result.at_least) return result;
  // With the unanswered at infinity, the rank-th of n is the rank-th of the completed alone.
  uint64_t cumulative = 0;
  const LogLinearLayout& layout = completed.layout();
  for (size_t i = 0; i < completed.counts().size(); ++i) {
    cumulative += completed.counts()[i];
    if (cumulative < rank) continue;
    result.upper = std::min(as_nanos(layout.highest_at(i)), *completed.max());
    break;
  }
  return result;
}

}  // namespace tickmark::stats
