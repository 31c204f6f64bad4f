#pragma once
// The null distribution of Wilcoxon's signed-rank statistic, from which honest intervals for a few
// blocks come: no normality is assumed, and too few blocks give no interval instead of a wrong one.

#include <cstdint>
#include <optional>
#include <span>

namespace tickmark::stats {

/// P(W+ <= w) for n pairs without ties, W+ the sum of the ranks with a positive sign. Exact, by counting
/// the subsets of {1..n} with each sum (Wilcoxon 1945; Hollander, Wolfe, Chicken 2014, section 3.1).
/// n in 1..kExactPairs; w may be any number.
double signed_rank_cdf(unsigned n, int64_t w);

/// Up to here the distribution is counted, above it is taken as normal.
inline constexpr unsigned kExactPairs = 50;

/// The largest c with P(W+ <= c) <= tail: the critical value of the published tables (n = 10,
/// tail = 0.025: 8). Nothing where even W+ = 0 is likelier than `tail` (n < 6 for 0.025). For n > kExactPairs
/// c = floor(n(n+1)/4 - 1/2 - z sqrt(n(n+1)(2n+1)/24)), the normal approximation with continuity correction.
std::optional<int64_t> signed_rank_critical(unsigned n, double tail);

/// One-sided sign-flip randomisation test on ranks, of "`differences` are not positive on the whole": the
/// share of the sign assignments whose sum of positive ranks reaches the observed one. Exact for every n, by
/// counting. Equal magnitudes share their mean rank; zeros have no sign and do not count; all zeros give 1.
/// It needs no more than the random order in each block, and one wild block moves it by one rank, however
/// wild.
double signed_rank_p(std::span<const double> differences);

/// P(Z <= z) of the standard normal Z.
double normal_cdf(double z);

/// The standard normal z with P(Z <= z) = p, p in (0, 1), to 1e-12.
double normal_quantile(double p);

}  // namespace tickmark::stats
