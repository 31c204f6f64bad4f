#pragma once
// How a comparison of two subjects becomes a statement: pairs of one block, log-ratios, a robust centre and
// an exact interval. The unit is always the block (a fresh process each), never the request.
//
// Sources: Hodges and Lehmann 1963 (estimate); Hollander, Wolfe, Chicken 2014, section 3.2 (interval by
// inverting Wilcoxon's test); Holm 1979; Fisher 1935, Edgington 1995 (sign-flip randomisation test).

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/error.h"

namespace tickmark::stats {

/// The middle value, or the mean of the two middle ones. `values` must not be empty.
double median(std::span<const double> values);

/// Median absolute deviation from the median, unscaled (x 1.4826 estimates a normal standard deviation).
double median_absolute_deviation(std::span<const double> values);

struct Interval {
  double low = 0;
  double high = 0;
  bool contains(double x) const { return low <= x && x <= high; }
};

struct Estimate {
  double value = 0;
  size_t n = 0;
  /// Absent where n is too small for the confidence asked for (n < 6 at 95 %): then say so, print no
  /// interval.
  std::optional<Interval> interval;
};

/// Hodges-Lehmann: the median of all (x_i + x_j)/2, i <= j, N = n(n+1)/2 of them. The interval runs from
/// the (c+1)-th smallest to the (c+1)-th largest of them, c = signed_rank_critical(n, (1-confidence)/2);
/// its coverage is at least `confidence` for a symmetric distribution and n <= 50, about it above.
/// For one subject's values over blocks as well as for differences. Values finite, n >= 1; O(n^2 log n).
Estimate hodges_lehmann(std::span<const double> values, double confidence = 0.95);

/// Candidate over reference, of a quantity measured in the same blocks.
struct RatioEstimate {
  double ratio = 1;  ///< exp of the Hodges-Lehmann estimate of ln(candidate/reference)
  size_t n = 0;
  std::optional<Interval> interval;  ///< of the ratio; absent where n is too small

  /// The interval excludes 1. False also without an interval: nothing was shown.
  bool distinguishable() const { return interval && !interval->contains(1.0); }
};

/// reference[b] and candidate[b] belong to one block b; equal lengths (asserted). Refuses no blocks at all
/// and values that are not positive and finite: they have no logarithm, so no ratio can be stated.
Expected<RatioEstimate> paired_ratio(std::span<const double> reference, std::span<const double> candidate,
                                     double confidence = 0.95);

/// One-sided sign-flip randomisation test of "the sum of `differences` is not positive": the share of
/// sign assignments whose sum reaches the observed one. Exact over 2^n for n <= 20, otherwise
/// (hits + 1) / (100,000 + 1) random flips from `seed`. Valid because the order in a block was random.
double sign_flip_p(std::span<const double> differences, uint64_t seed);

/// Holm's step-down adjustment: adjusted[i] belongs to p_values[i]; comparing each with alpha keeps the
/// chance of any false alarm in the family below alpha, whatever the dependence.
std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace tickmark::stats
