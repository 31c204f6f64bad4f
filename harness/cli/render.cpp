#include "harness/cli/render.h"

#include <fmt/format.h>

#include "harness/process/paths.h"
#include "harness/process/subject_process.h"

namespace tickmark::cli {
namespace {

// matplotlib on a busy small machine: ten charts take about 10 s; this is a hang.
constexpr Nanos kRenderDeadline = 300s;

/// Runs a script of reports/ to its end. `name` says what would be drawn.
Expected<void> render(const std::string& script, const std::vector<std::string>& arguments,
                      const std::string& stdin_text, const std::string& name) {
  auto root = process::find_root();
  if (!root) return std::unexpected(root.error());
  process::RunOptions options;
  options.deadline = kRenderDeadline;
  options.stdin_text = stdin_text;
  process::Command command = {"/usr/bin/python3", "-I", (*root / "reports" / script).string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto done = process::run_once(command, options);
  if (!done) return environment_error(done.error().message);
  if (done->exit.hung)
    return environment_error(fmt::format("{} was not drawn within {:.0f} s", name, seconds(kRenderDeadline)));
  if (done->exit.code == 0 && done->exit.signal == 0) return {};
  std::string words = done->exit.stderr_tail;
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return std::unexpected(Error{done->exit.code == 2 ? ErrorKind::kUsage : ErrorKind::kEnvironment,
                               words.empty() ? fmt::format("{} could not be drawn", name) : words});
}

}  // namespace

Expected<void> render_report(const std::filesystem::path& bundle, const std::filesystem::path& output,
                             const std::string& format) {
  return render("report.py", {bundle.string(), "--output", output.string(), "--format", format}, "",
                fmt::format("the report of '{}'", bundle.string()));
}

Expected<void> render_history(const output::Json& document, const std::filesystem::path& chart) {
  return render("history.py", {chart.string()}, output::line_text(document),
                fmt::format("the chart '{}'", chart.string()));
}

}  // namespace tickmark::cli
