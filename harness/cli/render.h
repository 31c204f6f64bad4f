#pragma once

#include <filesystem>
#include <string>

#include "harness/base/error.h"
#include "harness/output/json_access.h"

namespace tickmark::cli {

/// Runs reports/report.py on the bundle with Debian's Python (the one that has matplotlib; whatever else is
/// called python3 on PATH may not). kEnvironment with what is missing, or the renderer's own sentence.
Expected<void> render_report(const std::filesystem::path& bundle, const std::filesystem::path& output,
                             const std::string& format);

/// Runs reports/history.py, likewise: draws a tickmark.changes document into `chart`, a .png or .svg file.
Expected<void> render_history(const output::Json& document, const std::filesystem::path& chart);

}  // namespace tickmark::cli
