#pragma once
// Reads a result bundle, including one whose writer was killed and one that somebody else wrote: an
// incomplete last line is dropped and said so, an unknown schema is refused, and every error names file
// and line. What it accepts has the shape "object with schema"; keys are read through json_access.h.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/output/json_access.h"

namespace tickmark::output {

/// Schema names without their major version, which is 1 for all of them.
inline constexpr std::string_view kPlanSchema = "tickmark.plan";
inline constexpr std::string_view kMachineSchema = "tickmark.machine";
inline constexpr std::string_view kTrialSchema = "tickmark.trial";
inline constexpr std::string_view kVerdictSchema = "tickmark.verdict";
inline constexpr std::string_view kAnalysisSchema = "tickmark.analysis";
inline constexpr std::string_view kEndSchema = "tickmark.end";

struct Bundle {
  std::filesystem::path folder;
  Json plan;                 ///< always present
  Json machine;              ///< null if the writer died before it
  std::vector<Json> trials;  ///< in the order they ended
  std::vector<Json> verdicts;
  Json analysis;                   ///< null if not made yet
  Json end;                        ///< null after a crash
  std::vector<std::string> notes;  ///< sentences for the reader of a report: dropped lines, a missing end ...

  /// "complete", "interrupted", or "incomplete" where the writer left no end.json.
  std::string status() const { return text_at(end, "status", "incomplete"); }
};

/// One whole document. `name` is used in errors.
Expected<Json> parse_document(std::string_view text, std::string_view schema, std::string_view name);

/// The complete lines of a line file. A last line without its line feed is dropped, with a sentence in
/// `notes`.
Expected<std::vector<Json>> parse_lines(std::string_view text, std::string_view schema, std::string_view name,
                                        std::vector<std::string>& notes);

/// The whole bundle except histograms.hlog (stats::HdrLogReader) and traces/.
Expected<Bundle> read_bundle(const std::filesystem::path& folder);

}  // namespace tickmark::output
