#include "harness/stats/covariate.h"

#include <algorithm>
#include <cmath>

namespace tickmark::stats {
namespace {

constexpr int kStepsMax = 50;
constexpr double kSettled = 1e-10;

/// The fixed point of null -> pick(hodges_lehmann(without_covariate(null))): with the range's bounds the map
/// contracts, and a few steps reach it.
template <typename Pick>
double fixed_point(std::span<const BlockDifference> blocks, const SlopeRange& range, double confidence,
                   double start, Pick pick) {
  double null = start;
  for (int step = 0; step < kStepsMax; ++step) {
    const double next = pick(hodges_lehmann(without_covariate(blocks, null, range), confidence));
    const double moved = std::abs(next - null);
    null = next;
    if (moved < kSettled) break;
  }
  return null;
}

}  // namespace

double covariate_slope(std::span<const BlockDifference> blocks, double null, const SlopeRange& range) {
  double products = 0, squares = 0;
  for (const BlockDifference& block : blocks) {
    products += block.covariate * (block.value - null);
    squares += block.covariate * block.covariate;
  }
  return squares > 0 ? std::clamp(products / squares, range.least, range.most) : 0;
}

std::vector<double> without_covariate(std::span<const BlockDifference> blocks, double null,
                                      const SlopeRange& range) {
  const double slope = range.used() ? covariate_slope(blocks, null, range) : 0;
  std::vector<double> left;
  left.reserve(blocks.size());
  for (const BlockDifference& block : blocks) left.push_back(block.value - slope * block.covariate);
  return left;
}

Estimate adjusted_estimate(std::span<const BlockDifference> blocks, const SlopeRange& range,
                           double confidence) {
  Estimate estimate = hodges_lehmann(without_covariate(blocks, 0, SlopeRange{}), confidence);
  if (!range.used()) return estimate;
  estimate.value =
      fixed_point(blocks, range, confidence, estimate.value, [](const Estimate& step) { return step.value; });
  if (!estimate.interval) return estimate;
  estimate.interval->low = fixed_point(blocks, range, confidence, estimate.value,
                                       [](const Estimate& step) { return step.interval->low; });
  estimate.interval->high = fixed_point(blocks, range, confidence, estimate.value,
                                        [](const Estimate& step) { return step.interval->high; });
  return estimate;
}

}  // namespace tickmark::stats
