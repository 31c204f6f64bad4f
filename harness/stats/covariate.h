#pragma once
// What a covariate explains of the differences between two arms, taken out so that the sign-flip test stays
// exact.
//
// A block gives a difference d and the difference x of a covariate, as CPU per request and run-queue wait per
// request: a thread that waits longer for its core finds more requests when it gets it, and needs less CPU
// for each. At the null hypothesis d - null and x change their signs together when the arms change names, so
//
//   slope(null) = clamp(sum x (d - null) / sum x^2, least, most)
//
// is the same for every assignment of signs, and d - null - slope x changes its sign with them: whatever the
// slope is worth, the test of the null is exact (a covariance adjustment within a randomisation test:
// Rosenbaum 2002, Statistical Science 17). A line with an intercept would not do, its slope depends on the
// signs.
//
// The price: a slowdown that itself moves x would be explained away in part. The range bounds by how much: no
// more than `least` or `most` times x.

#include <span>
#include <vector>

#include "harness/stats/paired.h"

namespace tickmark::stats {

/// Of one block and metric, candidate less baseline; + is worse.
struct BlockDifference {
  double value = 0;      ///< log-ratio
  double covariate = 0;  ///< log-ratio of what may explain it; 0: not known
};

/// The slopes that the field's knowledge allows. {0, 0}: there is no covariate.
struct SlopeRange {
  double least = 0, most = 0;  ///< least <= most, 0 within

  bool used() const { return least < most; }
};

/// CPU per request by run-queue wait per request: -0.13 to -0.18 were seen of a server that shares its core
/// with another and with a spinner, about 0 where nobody else wants it. Waiting never makes a request dearer
/// here, and cannot make it a quarter cheaper for each factor of e.
inline constexpr SlopeRange kCpuByRunQueueWait{-0.25, 0};

/// See above. 0 where no covariate varies.
double covariate_slope(std::span<const BlockDifference> blocks, double null, const SlopeRange& range);

/// value - slope(null) x covariate, of each block.
std::vector<double> without_covariate(std::span<const BlockDifference> blocks, double null,
                                      const SlopeRange& range);

/// Hodges-Lehmann of what is left, the slope taken at the estimate itself; each end of the interval likewise
/// at itself, which inverts the test above.
Estimate adjusted_estimate(std::span<const BlockDifference> blocks, const SlopeRange& range,
                           double confidence);

}  // namespace tickmark::stats
