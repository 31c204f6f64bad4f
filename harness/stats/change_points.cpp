#include "harness/stats/change_points.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "harness/base/random.h"
#include "harness/stats/paired.h"

namespace tickmark::stats {
namespace {

/// The second pass sees what the first has moved; further ones hardly move anything.
constexpr int kRepartitions = 2;

/// 1..n; equal values share their mean rank.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (size_t i = first; i <= last; ++i) ranks[order[i]] = static_cast<double>(first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

struct Split {
  size_t at = 0;
  double statistic = 0;
};

Split best_split(std::span<const double> ranks) {
  const auto n = static_cast<double>(ranks.size());
  Split best;
  double sum = 0;
  for (size_t k = 1; k + kSegmentMin <= ranks.size(); ++k) {
    sum += ranks[k - 1];
    if (k < kSegmentMin) continue;
    const auto left = static_cast<double>(k);
    const double statistic = std::abs(sum - left * (n + 1) / 2) / std::sqrt(left * (n - left) * (n + 1) / 12);
    if (statistic > best.statistic) best = {k, statistic};
  }
  return best;
}

/// Fisher and Yates.
void shuffle(std::vector<double>& values, SplitMix64& random) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

double permutation_p(std::vector<double> ranks, double statistic, const ChangeRules& rules) {
  // Sums of ranks are exact in doubles, but their order of summation is not that of the roots around them.
  constexpr double kRounding = 1e-9;
  SplitMix64 random(rules.seed);
  int hits = 0;
  for (int i = 0; i < rules.permutations; ++i) {
    shuffle(ranks, random);
    if (best_split(ranks).statistic >= statistic - kRounding) ++hits;
  }
  return (1.0 + hits) / (1.0 + rules.permutations);
}

/// Where [first, last) would be split, and the p-value of that; p = 1 where it is too short.
ChangePoint tested(std::span<const double> logs, size_t first, size_t last, const ChangeRules& rules) {
  if (last - first < 2 * kSegmentMin) return {};
  const std::vector<double> ranks = ranks_of(logs.subspan(first, last - first));
  const Split best = best_split(ranks);
  if (best.at == 0) return {};
  return {first + best.at, 0, 0, permutation_p(ranks, best.statistic, rules)};
}

/// Appends the splits of [first, last) in order.
void split(std::span<const double> logs, size_t first, size_t last, const ChangeRules& rules,
           std::vector<ChangePoint>& found) {
  const ChangePoint point = tested(logs, first, last, rules);
  if (point.p > rules.alpha) return;
  split(logs, first, point.at, rules, found);
  found.push_back(point);
  split(logs, point.at, last, rules, found);
}

/// Looks for each point again between its neighbours: the first ones were found while others lay beside them,
/// which moves them. One that is not found so is dropped.
void repartition(std::span<const double> logs, const ChangeRules& rules, std::vector<ChangePoint>& found) {
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t i = 0; i < found.size() && !moved; ++i) {
      const size_t first = i == 0 ? 0 : found[i - 1].at;
      const size_t last = i + 1 == found.size() ? logs.size() : found[i + 1].at;
      const ChangePoint again = tested(logs, first, last, rules);
      if (again.p > rules.alpha) {
        found.erase(found.begin() + static_cast<ptrdiff_t>(i));
        moved = true;
      } else {
        found[i] = again;
      }
    }
  }
}

double level(std::span<const double> logs, size_t first, size_t last) {
  return hodges_lehmann(logs.subspan(first, last - first)).value;
}

/// Levels of the segments between the points.
void measure(std::span<const double> logs, std::vector<ChangePoint>& points) {
  for (size_t i = 0; i < points.size(); ++i) {
    const size_t first = i == 0 ? 0 : points[i - 1].at;
    const size_t last = i + 1 == points.size() ? logs.size() : points[i + 1].at;
    points[i].before = level(logs, first, points[i].at);
    points[i].after = level(logs, points[i].at, last);
  }
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> logs, const ChangeRules& rules) {
  assert(std::ranges::all_of(logs, [](double log) { return std::isfinite(log); }));
  std::vector<ChangePoint> found;
  split(logs, 0, logs.size(), rules, found);
  for (int pass = 0; pass < kRepartitions; ++pass) repartition(logs, rules, found);
  measure(logs, found);
  // The smallest goes first: without it its neighbours' segments are longer, and their levels others.
  const double least = std::log1p(rules.least);
  while (!found.empty()) {
    const auto smallest = std::ranges::min_element(
        found, {}, [](const ChangePoint& point) { return std::abs(point.after - point.before); });
    if (std::abs(smallest->after - smallest->before) >= least) break;
    found.erase(smallest);
    measure(logs, found);
  }
  return found;
}

}  // namespace tickmark::stats
