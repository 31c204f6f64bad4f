#pragma once
// When a comparison may be looked at, and how much of its error each look may spend. Looking after every
// block and stopping at the first small p multiplies the false alarms by four; looks fixed in advance, each
// with its own share of the error, do not.
//
// Sources: O'Brien and Fleming 1979 (boundaries that spend little early); Lan and DeMets 1983 (their spending
// function).

#include <span>
#include <vector>

namespace tickmark::stats {

/// The error spent up to the share `t` of all planned blocks, t in (0, 1], by O'Brien and Fleming's shape:
/// 2 (1 - Phi(z_{1-alpha/2} / sqrt(t))). All of `alpha` at t = 1.
double error_spent(double alpha, double t);

/// What each look may spend of `alpha`: levels[k] = error_spent(t_k) - error_spent(t_{k-1}), t = looks[k] /
/// looks.back(). Rejecting at look k where p <= levels[k] keeps the chance of any false rejection below the
/// sum, which is alpha, whatever the noise and however the looks depend on each other: each p is exact, and
/// the chances of a union add up at most. `looks` rise; not empty.
std::vector<double> look_levels(std::span<const int> looks, double alpha);

}  // namespace tickmark::stats
