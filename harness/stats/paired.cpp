#include "harness/stats/paired.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/core.h>
#include <numeric>

#include "harness/base/random.h"
#include "harness/stats/signed_rank.h"

namespace tickmark::stats {

namespace {

constexpr size_t kExactFlips = 20;
constexpr int kRandomFlips = 100'000;

/// `values` is sorted and not empty.
double middle(std::span<const double> values) {
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

std::vector<double> sorted_walsh_averages(std::span<const double> values) {
  std::vector<double> averages;
  averages.reserve(values.size() * (values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i; j < values.size(); ++j) averages.push_back((values[i] + values[j]) / 2);
  }
  std::sort(averages.begin(), averages.end());
  return averages;
}

/// How many of the 2^k sign assignments of the first k `magnitudes` bring `sum` to at least `target`;
/// reach[k] is the sum of those magnitudes, and decides whole subtrees.
uint64_t count_reaching(std::span<const double> magnitudes, std::span<const double> reach, double sum,
                        double target) {
  const size_t k = magnitudes.size();
  if (sum + reach[k] < target) return 0;
  if (sum - reach[k] >= target) return uint64_t{1} << k;
  const auto rest = magnitudes.first(k - 1);
  return count_reaching(rest, reach, sum + magnitudes[k - 1], target) +
         count_reaching(rest, reach, sum - magnitudes[k - 1], target);
}

}  // namespace

double median(std::span<const double> values) {
  assert(!values.empty());
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return middle(sorted);
}

double median_absolute_deviation(std::span<const double> values) {
  const double centre = median(values);
  std::vector<double> deviations;
  for (double v : values) deviations.push_back(std::abs(v - centre));
  return median(deviations);
}

Estimate hodges_lehmann(std::span<const double> values, double confidence) {
  assert(!values.empty() && confidence > 0 && confidence < 1);
  assert(std::ranges::all_of(values, [](double v) { return std::isfinite(v); }));
  const std::vector<double> averages = sorted_walsh_averages(values);
  Estimate estimate{middle(averages), values.size(), std::nullopt};
  const auto critical = signed_rank_critical(static_cast<unsigned>(values.size()), (1 - confidence) / 2);
  if (critical) {
    const size_t c = static_cast<size_t>(*critical);
    estimate.interval = Interval{averages[c], averages[averages.size() - 1 - c]};
  }
  return estimate;
}

Expected<RatioEstimate> paired_ratio(std::span<const double> reference, std::span<const double> candidate,
                                     double confidence) {
  assert(reference.size() == candidate.size());
  if (reference.empty())
    return usage_error("a ratio needs at least one block in which both subjects are valid");
  std::vector<double> log_ratios;
  for (size_t b = 0; b < reference.size(); ++b) {
    for (double v : {reference[b], candidate[b]}) {
      if (std::isfinite(v) && v > 0) continue;
      return usage_error(fmt::format(
          "pair {} holds {}, which has no logarithm; a ratio needs positive values, so exclude that block", b,
          v));
    }
    log_ratios.push_back(std::log(candidate[b] / reference[b]));
  }
  const Estimate log_ratio = hodges_lehmann(log_ratios, confidence);
  RatioEstimate result{std::exp(log_ratio.value), log_ratio.n, std::nullopt};
  if (log_ratio.interval) {
    result.interval = Interval{std::exp(log_ratio.interval->low), std::exp(log_ratio.interval->high)};
  }
  return result;
}

double sign_flip_p(std::span<const double> differences, uint64_t seed) {
  assert(!differences.empty());
  std::vector<double> magnitudes;
  for (double d : differences) magnitudes.push_back(std::abs(d));
  std::sort(magnitudes.begin(), magnitudes.end());
  std::vector<double> reach(magnitudes.size() + 1, 0.0);
  std::partial_sum(magnitudes.begin(), magnitudes.end(), reach.begin() + 1);
  // Equal sums must count as reached whatever the order of additions rounds them to.
  const double target = std::accumulate(differences.begin(), differences.end(), 0.0) - 1e-12 * reach.back();

  if (differences.size() <= kExactFlips) {
    return static_cast<double>(count_reaching(magnitudes, reach, 0, target)) /
           static_cast<double>(uint64_t{1} << differences.size());
  }
  SplitMix64 random(seed);
  int hits = 0;
  for (int flip = 0; flip < kRandomFlips; ++flip) {
    double sum = 0;
    uint64_t bits = 0;
    for (size_t i = 0; i < magnitudes.size(); ++i) {
      if (i % 64 == 0) bits = random.next();
      sum += (bits >> (i % 64) & 1) != 0 ? magnitudes[i] : -magnitudes[i];
    }
    hits += sum >= target ? 1 : 0;
  }
  return (hits + 1.0) / (kRandomFlips + 1.0);
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double running = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    running = std::max(running, static_cast<double>(order.size() - i) * p_values[order[i]]);
    adjusted[order[i]] = std::min(running, 1.0);
  }
  return adjusted;
}

}  // namespace tickmark::stats
