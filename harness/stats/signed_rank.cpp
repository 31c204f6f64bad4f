#include "harness/stats/signed_rank.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
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

/// Twice the rank of each magnitude among all of them, so that mean ranks of equal ones are whole.
std::vector<size_t> doubled_ranks(std::span<const double> magnitudes) {
  std::vector<size_t> order(magnitudes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return magnitudes[a] < magnitudes[b]; });
  std::vector<size_t> ranks(magnitudes.size());
  for (size_t from = 0, to = 0; from < order.size(); from = to) {
    while (to < order.size() && magnitudes[order[to]] == magnitudes[order[from]]) ++to;
    for (size_t i = from; i < to; ++i) ranks[order[i]] = from + 1 + to;  // (from + 1 + to) / 2, doubled
  }
  return ranks;
}

/// P(sum of the ranks with a positive sign >= target), each sign a fair coin.
double tail_of_rank_sum(const std::vector<size_t>& ranks, size_t target) {
  const size_t total = std::accumulate(ranks.begin(), ranks.end(), size_t{0});
  std::vector<double> p(total + 1, 0.0);
  p[0] = 1;
  size_t top = 0;  // the largest sum reached so far
  for (const size_t rank : ranks) {
    top += rank;
    for (size_t w = top + 1; w-- > rank;) p[w] = (p[w] + p[w - rank]) / 2;
    for (size_t w = 0; w < rank; ++w) p[w] /= 2;
  }
  return std::accumulate(p.begin() + static_cast<ptrdiff_t>(target), p.end(), 0.0);
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

double signed_rank_p(std::span<const double> differences) {
  std::vector<double> magnitudes, signs;
  for (const double d : differences) {
    if (d == 0) continue;
    magnitudes.push_back(std::abs(d));
    signs.push_back(d);
  }
  if (magnitudes.empty()) return 1;
  std::vector<size_t> ranks = doubled_ranks(magnitudes);
  if (std::ranges::all_of(ranks, [](size_t rank) { return rank % 2 == 0; })) {
    for (size_t& rank : ranks) rank /= 2;  // no ties: half the sums
  }
  size_t positive = 0;
  for (size_t i = 0; i < ranks.size(); ++i) positive += signs[i] > 0 ? ranks[i] : 0;
  return std::min(1.0, tail_of_rank_sum(ranks, positive));
}

double normal_cdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

double normal_quantile(double p) {
  assert(p > 0 && p < 1);
  double low = -40, high = 40;  // P is 0 and 1 there in doubles
  while (high - low > 1e-13) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace tickmark::stats
