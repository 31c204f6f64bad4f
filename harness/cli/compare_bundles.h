#pragma once
// `tickmark compare BASELINE CANDIDATE` with two bundles. They were measured at different times, so values
// are not compared: in each block a subject is set against the canary of its own bundle, the reference
// subject that ran beside it, and those ratios are. What cannot be related so is refused.

#include <string>

#include "harness/base/error.h"
#include "harness/output/bundle_reader.h"
#include "harness/output/comparison.h"

namespace tickmark::cli {

/// `subject`: whom to compare, where the bundles hold several beside the canary; empty: the only one. One
/// look at all blocks at 1 %, and no confirmation: nothing can be run again. Usage error, one sentence, if
/// the bundles are of different machines or builds, have no canary in common, or no gated cell.
Expected<output::Comparison> compare_bundles(const std::string& baseline, const std::string& candidate,
                                             const std::string& subject);

/// The same on bundles that have been read.
Expected<output::Comparison> related(const output::Bundle& baseline, const output::Bundle& candidate,
                                     const std::string& subject);

}  // namespace tickmark::cli
