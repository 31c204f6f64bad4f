#include "harness/stats/signed_rank.h"

#include <cassert>
#include <cmath>
#include <vector>

namespace tickmark::stats {

namespace {

/// P(W+ = w) for every w in 0..n(n+1)/2.
std::vector<double> signed_rank_probabilities(unsigned n) {
  const size_t top = static_cast<size_t>(n) * (n + 1) / 2;
  std::vector<double> p(top + 1, 0.0);
  p[0] = 1;
  for (size_t rank = 1; rank <= n; ++rank) {
    // With probability 1/2 each, the rank joins the sum or does not. Downwards: each rank joins once.
    for (size_t w = top + 1; w-- > 0;) p[w] = (p[w] + (w >= rank ? p[w - rank] : 0.0)) / 2;
  }
  return p;
}

}  // namespace

double signed_rank_cdf(unsigned n, int64_t w) {
  assert(n >= 1 && n <= kExactPairs);
  const std::vector<double> p = signed_rank_probabilities(n);
  double sum = 0;
  for (size_t i = 0; i < p.size() && static_cast<int64_t>(i) <= w; ++i) sum += p[i];
  return sum;
}

std::optional<int64_t> signed_rank_critical(unsigned n, double tail) {
  assert(tail > 0 && tail < 0.5);
  if (n == 0) return std::nullopt;
  if (n > kExactPairs) {
    const double m = n;
    const double sd = std::sqrt(m * (m + 1) * (2 * m + 1) / 24);
    return static_cast<int64_t>(std::floor(m * (m + 1) / 4 - 0.5 + normal_quantile(tail) * sd));
  }
  const std::vector<double> p = signed_rank_probabilities(n);
  int64_t critical = -1;
  double sum = 0;
  for (double probability : p) {
    sum += probability;
    if (sum > tail) break;
    ++critical;
  }
  return critical < 0 ? std::nullopt : std::optional(critical);
}

double normal_quantile(double p) {
  assert(p > 0 && p < 1);
  double low = -40, high = 40;  // P is 0 and 1 there in doubles
  while (high - low > 1e-13) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace tickmark::stats
