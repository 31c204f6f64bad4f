#pragma once
// The statistics of a bundle, made in one place: the console summary and every report print these numbers
// and compute none of their own.

#include <vector>

#include "harness/base/error.h"
#include "harness/output/bundle_reader.h"

namespace tickmark::output {

/// A metric that is compared across subjects.
struct ComparedMetric {
  const char* key;     ///< in a trial's `metrics`
  const char* unit;    ///< "ns", "1/s", "bytes", "" for a pure number
  const char* family;  ///< whose validity counts: latency, throughput, cpu, memory
  bool higher_is_better;
  bool compares_cost = false;  ///< equal replies are asked for: where they are not, the comparison says so
};
const std::vector<ComparedMetric>& compared_metrics();

/// analysis.json (tickmark.analysis/1, docs/bundle.md). One comparison per cell, metric and subject that has
/// at least one valid block: the Hodges-Lehmann estimate with its 95 % interval, and the ratio to the
/// reference subject paired by block. An interval needs at least six blocks; `note` says so where there are
/// fewer.
Json analyse(const Bundle& bundle);

/// "1.42x [1.31, 1.55]", "not distinguishable (0.98x [0.91, 1.06])", "1.4x, only 4 valid blocks: no
/// interval", or "" for the reference itself.
std::string ratio_text(const Json& comparison);

}  // namespace tickmark::output
