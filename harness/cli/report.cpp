// tickmark report: bundle -> charts, HTML, Markdown. The drawing is Python's; the numbers are the bundle's.

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/cli/render.h"
#include "harness/cli/verb.h"
#include "harness/process/paths.h"
#include "harness/run/run.h"

namespace tickmark::cli {
namespace {

struct ReportFlags {
  std::string bundle;
  std::string output;
  std::string format = "html,md,csv,png,svg";
};

Expected<int> run_verb(const ReportFlags& options, bool json) {
  auto bundle = run::analyse_bundle(options.bundle);
  if (!bundle) return std::unexpected(bundle.error());
  const std::filesystem::path output = options.output.empty() ? options.bundle : options.output;
  if (auto rendered = render_report(options.bundle, output, options.format); !rendered) {
    return std::unexpected(rendered.error());
  }
  if (json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"schema", "tickmark.report/1"},
                                              {"bundle", options.bundle},
                                              {"status", bundle->status()},
                                              {"notes", bundle->notes},
                                              {"report", (output / "report.html").string()}}
                           .dump(2));
  } else {
    for (const std::string& note : bundle->notes) fmt::print(stderr, "note: {}\n", note);
    fmt::print("{}\n", (output / "report.html").string());
  }
  return kOk;
}

}  // namespace

void add_report(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReportFlags>();
  CLI::App* verb = add_verb(app, invocation, "report", "charts, HTML and Markdown of a bundle",
                            [options, &invocation] { return run_verb(*options, invocation.json); });
  verb->add_option("bundle", options->bundle, "folder of a run")->required();
  verb->add_option("--output", options->output, "where the report goes; default: into the bundle");
  verb->add_option("--format", options->format, "any of html, md, csv, png, svg, separated by commas")
      ->capture_default_str();
}

}  // namespace tickmark::cli
