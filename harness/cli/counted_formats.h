#pragma once
// A comparison by counting as people and other tools want it: as comparison_formats.h.

#include <string>

#include "harness/output/counted_comparison.h"

namespace tickmark::cli {

/// One line per question, what cannot be seen so, the verdict, how to repeat it.
std::string counted_text(const output::CountedComparison& comparison);
/// JUnit XML: one case per question; a regression is a failure, what is invalid is skipped with the reason.
std::string counted_junit(const output::CountedComparison& comparison);
/// Markdown, at most kSummaryBytesMax long.
std::string counted_markdown(const output::CountedComparison& comparison);

}  // namespace tickmark::cli
