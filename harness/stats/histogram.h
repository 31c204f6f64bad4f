#pragma once
// The one histogram of the suite: every latency of a trial goes into it, none is sampled away, and its
// memory is fixed when it is made, so that recording cannot disturb what is recorded.
//
// Goals: a stated error bound, exact merging, an exact HdrHistogram log (hdr_log.h).
// Non-goals: concurrent recording (one histogram per thread, merged afterwards), subtraction.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/stats/log_linear_layout.h"

namespace tickmark::stats {

/// Counts of durations from 0 to layout().max_value() ns (default 137.4 s), relative error of a
/// quantile in [0, 2^-precision_bits] (default 0.0977 %). 224 KiB with the default layout.
/// Values outside saturate to the nearest end, and are counted by below_range() and above_range().
class Histogram {
 public:
  /// Allocates all memory there will ever be. `layout` must be valid().
  explicit Histogram(LogLinearLayout layout = {});

  /// A histogram with these counts per bucket (at most layout.bucket_count() of them). What the counts do
  /// not tell is taken from the buckets: min their lowest, max their highest value, the sum their middles.
  static Histogram from_counts(LogLinearLayout layout, std::span<const uint64_t> counts);

  /// Adds `times` equal values. Never allocates.
  void record(Nanos value, uint64_t times = 1) {
    const int64_t ns = value.count();
    uint64_t v = static_cast<uint64_t>(ns);
    if (v > max_value_) [[unlikely]] {  // a negative value is a huge unsigned one: one branch for both ends
      (ns < 0 ? below_range_ : above_range_) += times;
      v = ns < 0 ? 0 : max_value_;
    }
    counts_[layout_.index_of(v)] += times;
    count_ += times;
    sum_ns_ += static_cast<unsigned __int128>(v) * times;
    if (times != 0 && v < min_) min_ = v;
    if (times != 0 && v > max_) max_ = v;
  }

  /// Adds every count of `other`: the result equals having recorded both streams here.
  /// Refuses a histogram of another layout and then changes nothing.
  Expected<void> merge(const Histogram& other);

  /// Forgets everything, keeps the memory.
  void clear();

  const LogLinearLayout& layout() const { return layout_; }
  std::span<const uint64_t> counts() const { return counts_; }
  uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  uint64_t below_range() const { return below_range_; }  ///< negative values, recorded as 0
  uint64_t above_range() const { return above_range_; }  ///< recorded as the largest value

  /// Exact (of the saturated values, if any were); nothing when empty.
  std::optional<Nanos> min() const;
  std::optional<Nanos> max() const;
  /// Running exact sum divided by the count, in ns; nothing when empty.
  std::optional<double> mean_ns() const;
  /// The exact sum in seconds (a double holds it to 1e-16 relative).
  double sum_seconds() const { return static_cast<double>(sum_ns_) / 1e9; }

  /// The q-quantile, q in [0, 1]: the smallest recorded value whose cumulative count is >= ceil(q*n)
  /// (at least 1), reported as the highest value of its bucket but never above max(). So a latency is
  /// never understated, and overstated by at most layout().relative_error(). Nothing when empty.
  std::optional<Nanos> quantile(double q) const;

 private:
  LogLinearLayout layout_;
  uint64_t max_value_;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t below_range_ = 0;
  uint64_t above_range_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
  unsigned __int128 sum_ns_ = 0;
};

/// ceil(q * n), at least 1 and at most n: the rank of the q-quantile among n >= 1 sorted values.
/// q is first lowered by one ulp, so that 0.07 * 100 is rank 7 although the double 0.07 is a bit more.
uint64_t quantile_rank(double q, uint64_t n);

/// A percentile may be printed only where at least ten values lie above it: n(1-p) >= 10, p in [0, 1].
bool percentile_supported(uint64_t n, double p);

/// A quantile of a population of which some members were still unanswered when watching ended.
struct CensoredQuantile {
  Nanos value{};               ///< with every unanswered request counted at its age: a lower bound
  bool at_least = false;       ///< true: no finite upper bound exists, print ">= value"
  std::optional<Nanos> upper;  ///< with every unanswered request counted as infinite; absent if at_least
};

/// The q-quantile of the n = completed + unanswered requests. `lower_bounds` holds the ages of the
/// unanswered ones (Kaplan-Meier would assume that they resemble the others; a starved one does not).
/// at_least is set when the unanswered requests and the saturated values exceed n - ceil(q*n), that is
/// when they exceed (1-q)n (METHOD.md T3). Nothing when both are empty; both must have one layout.
std::optional<CensoredQuantile> censored_quantile(const Histogram& completed, const Histogram& lower_bounds,
                                                  double q);

}  // namespace tickmark::stats
