#pragma once

#include <filesystem>
#include <string>

#include "harness/base/error.h"

namespace tickmark::cli {

/// Runs reports/report.py on the bundle with Debian's Python (the one that has matplotlib; whatever else is
/// called python3 on PATH may not). kEnvironment with what is missing, or the renderer's own sentence.
Expected<void> render_report(const std::filesystem::path& bundle, const std::filesystem::path& output,
                             const std::string& format);

}  // namespace tickmark::cli
