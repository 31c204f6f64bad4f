#pragma once
// The closing table: what was measured, in the order a person asks. Every number comes from the bundle and
// its analysis; a sentence may say "not distinguishable".

#include <string>

#include "harness/output/bundle_reader.h"

namespace tickmark::output {

struct SummaryOptions {
  bool colour = false;
};

/// One table per cell with medians over the valid blocks and their 95 % interval, one sentence on the
/// headline metric, what is invalid and why, the conformance line, paths and the command to repeat.
/// `bundle.analysis` must be there (run::analyse_bundle).
std::string summary_text(const Bundle& bundle, const SummaryOptions& options = {});

/// A metric for people: "0.18 ms", "81.2 k/s", "11.3 us", "4.1 KiB".
std::string metric_text(double value, std::string_view unit);

}  // namespace tickmark::output
