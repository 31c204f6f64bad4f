#pragma once
// Where a series of runs has changed its level. Pure and deterministic.
//
// One segment is tested by the largest standardised rank sum: with R_1..R_n the ranks of its values and
// W_k = R_1 + ... + R_k,
//     T = max over k of |W_k - k(n+1)/2| / sqrt(k (n-k) (n+1) / 12),     kSegmentMin <= k <= n - kSegmentMin,
// and the k of the maximum is where the change would lie. Its p-value is that of a permutation test: the
// share of shuffled orders whose T is as large, (1 + hits) / (1 + permutations). A segment with p <= alpha is
// split there, and its halves are tested in the same way (binary segmentation).
//
// Error rate. If the order of the values means nothing (they are exchangeable), the first test rejects with
// chance alpha at most, whatever their distribution; without it nothing is told. So a series without a change
// shows any with chance alpha at most, each time it is looked at. Each half of a series that has one is a
// series of its own. Ranks: one wild run moves T by no more than any other run.
//
// Sources: Pettitt 1979 (change point by rank sums); Csorgo and Horvath 1997, chapter 2 (the standardised
// maximum); Phipson and Smyth 2010 (the p-value is never 0); Scott and Knott 1974, Vostrikova 1981 (binary
// segmentation); Bai 1997, "Estimating multiple breaks one at a time" (repartition).

#include <cstdint>
#include <span>
#include <vector>

namespace tickmark::stats {

struct ChangeRules {
  double alpha = 0.01;
  int permutations = 999;
  uint64_t seed = 1;    ///< of the shuffles: the same series gives the same answer
  double least = 0.01;  ///< a change of the level by less is not told, as for the gate (see GateRules::floor)
};

/// No level is told by fewer runs.
inline constexpr size_t kSegmentMin = 3;

struct ChangePoint {
  size_t at = 0;                 ///< index of the first value on the new level
  double before = 0, after = 0;  ///< levels of the segments on both sides: Hodges-Lehmann estimates
  double p = 1;                  ///< of the test that found it
};

/// `logs`: logarithms of ratios in the order of the runs, finite (asserted). Sorted by `at`; none for fewer
/// than 2 x kSegmentMin values. O(permutations x n) per segment.
std::vector<ChangePoint> change_points(std::span<const double> logs, const ChangeRules& rules = {});

}  // namespace tickmark::stats
