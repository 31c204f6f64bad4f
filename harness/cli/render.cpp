#include "harness/cli/render.h"

#include <fmt/format.h>

#include "harness/process/paths.h"
#include "harness/process/subject_process.h"

namespace tickmark::cli {
namespace {

// matplotlib on a busy small machine: ten charts take about 10 s; this is a hang.
constexpr Nanos kRenderDeadline = 300s;

}  // namespace

Expected<void> render_report(const std::filesystem::path& bundle, const std::filesystem::path& output,
                             const std::string& format) {
  auto root = process::find_root();
  if (!root) return std::unexpected(root.error());
  process::RunOptions options;
  options.deadline = kRenderDeadline;
  auto done = process::run_once({"/usr/bin/python3", "-I", (*root / "reports" / "report.py").string(),
                                 bundle.string(), "--output", output.string(), "--format", format},
                                options);
  if (!done) return environment_error(done.error().message);
  if (done->exit.hung) {
    return environment_error(
        fmt::format("the report of '{}' was not drawn within {:.0f} s; try --format html,md", bundle.string(),
                    seconds(kRenderDeadline)));
  }
  if (done->exit.code == 0 && done->exit.signal == 0) return {};
  std::string words = done->exit.stderr_tail;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return std::unexpected(Error{done->exit.code == 2 ? ErrorKind::kUsage : ErrorKind::kEnvironment,
                               words.empty() ? "the report could not be drawn" : words});
}

}  // namespace tickmark::cli
