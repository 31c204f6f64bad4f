#include "harness/stats/counted.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace tickmark::stats {
namespace {

CountedSide side_of(std::span<const double> counts, const CountedRules& rules) {
  assert(std::ssize(counts) == rules.counts);
  assert(std::ranges::all_of(counts, [](double count) { return std::isfinite(count) && count >= 0; }));
  const auto [smallest, largest] = std::ranges::minmax(counts);
  CountedSide side;
  side.middle = median(counts);
  if (largest > smallest) {
    side.spread =
        side.middle > 0 ? (largest - smallest) / side.middle : std::numeric_limits<double>::infinity();
  }
  side.agree = side.spread <= rules.agreement;
  return side;
}

double ratio_of(double baseline, double candidate) {
  if (baseline > 0) return candidate / baseline;
  return candidate > 0 ? std::numeric_limits<double>::infinity() : 1;
}

}  // namespace

CountedAnswer judge_counts(std::span<const double> baseline, std::span<const double> candidate,
                           const CountedRules& rules) {
  CountedAnswer answer;
  answer.baseline = side_of(baseline, rules);
  answer.candidate = side_of(candidate, rules);
  answer.ratio = ratio_of(answer.baseline.middle, answer.candidate.middle);
  if (!answer.baseline.agree || !answer.candidate.agree) return answer;
  answer.verdict = answer.ratio > 1 + rules.margin ? Verdict::kRegression : Verdict::kOk;
  return answer;
}

}  // namespace tickmark::stats
