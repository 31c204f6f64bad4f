#pragma once
// The rule of the counted gate: what is counted and not timed has next to no noise, so no test is needed,
// only the proof in each comparison that there was none. Pure.

#include <span>

#include "harness/stats/gate.h"

namespace tickmark::stats {

struct CountedRules {
  int counts = 3;            ///< made of each side, all of which must agree
  double agreement = 0.001;  ///< the largest may exceed the smallest by this share of the middle one
  double margin = 0.01;      ///< a rise by more than this share is a regression
};

/// The counts of one side.
struct CountedSide {
  double middle = 0;  ///< the median
  double spread = 0;  ///< (largest - smallest) / median; 0 where all are 0
  bool agree = false;
};

struct CountedAnswer {
  CountedSide baseline, candidate;
  /// candidate / baseline; 1 where both are 0, infinite where the baseline alone is.
  double ratio = 1;
  /// INCONCLUSIVE where a side's counts do not agree: then nothing is averaged, and the ratio means nothing.
  Verdict verdict = Verdict::kInconclusive;
};

/// Counts per request, finite and not negative (asserted), rules.counts of each side.
CountedAnswer judge_counts(std::span<const double> baseline, std::span<const double> candidate,
                           const CountedRules& rules);

}  // namespace tickmark::stats
