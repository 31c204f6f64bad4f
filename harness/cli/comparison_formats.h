#pragma once
// A comparison as people and other tools want it. No colour and no timestamp in any of them.

#include <string>

#include "harness/output/comparison.h"

namespace tickmark::cli {

/// One line per question with medians, the slowdown and its interval; then the verdict and why; what the gate
/// could have seen; how to repeat it.
std::string comparison_text(const output::Comparison& comparison);

/// "look at 12 blocks: CPU per request +9.8 % [+8.9, +10.9] REGRESSION; ...", for whoever waits.
std::string look_text(const output::Comparison& comparison);

/// JUnit XML: one case per question; a regression is a failure, what is inconclusive is skipped with the
/// reason.
std::string comparison_junit(const output::Comparison& comparison);

/// Markdown for the summary of a CI step or a comment on a change, at most kSummaryBytesMax long.
std::string comparison_markdown(const output::Comparison& comparison);

/// GitHub takes 1 MiB per step summary and 65,536 characters per comment, GitLab 1,000,000 characters per
/// note.
inline constexpr size_t kSummaryBytesMax = 65'000;

/// `text` if it fits, else its first whole lines and a last one that says that it was cut.
std::string cut_to(std::string text, size_t bytes_max);

}  // namespace tickmark::cli
