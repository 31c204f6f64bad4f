// tickmark history: what the runs of many days have come to. Advisory: whatever it finds, it exits 0.

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cli/render.h"
#include "harness/cli/verb.h"
#include "harness/output/changes.h"

namespace tickmark::cli {
namespace {

using output::Json;
using output::list_at;
using output::number_at;
using output::text_at;

struct HistoryFlags {
  std::string file, chart;
  output::SeriesFilter filter;
};

/// "1.52 [1.48, 1.57]"
std::string ratio_text(const Json& point) {
  const std::string ratio = fmt::format("{:.3f}", number_at(point, "ratio").value_or(0));
  const auto low = number_at(point, "low"), high = number_at(point, "high");
  return low && high ? fmt::format("{} [{:.3f}, {:.3f}]", ratio, *low, *high) : ratio + ", no interval";
}

std::string day(const std::string& utc) { return utc.substr(0, 10); }

/// ": a1b2 -> c3d4" where they differ, else "".
std::string moved(const Json& change, const std::string& key) {
  const std::string before = text_at(change, key + "_before"), after = text_at(change, key);
  return before == after ? "" : fmt::format("; {} -> {}", before, after);
}

std::string change_text(const Json& change) {
  return fmt::format("    change between {} and {}: {:+.1f} % ({}), {:.3f} -> {:.3f}, p = {:.3f}{}{}\n",
                     day(text_at(change, "utc_before")), day(text_at(change, "utc")),
                     change["change"].get<double>() * 100, change["worse"].get<bool>() ? "worse" : "better",
                     change["before"].get<double>(), change["after"].get<double>(), change["p"].get<double>(),
                     moved(change, "git"), moved(change, "versions"));
}

std::string history_text(const Json& document) {
  std::string text, machine, cell;
  size_t changed = 0;
  for (const Json& series : list_at(document, "series")) {
    if (text_at(series, "machine") != machine)
      text += fmt::format("{}\n", machine = text_at(series, "machine"));
    if (text_at(series, "cell") != cell) text += fmt::format("\n{}\n", cell = text_at(series, "cell"));
    const Json &points = list_at(series, "points"), &changes = list_at(series, "changes");
    text += fmt::format("  {:<28} {} / {}: {} runs, last {}\n", text_at(series, "metric"),
                        text_at(series, "subject"), text_at(series, "canary"), points.size(),
                        ratio_text(points.back()));
    for (const Json& change : changes) text += change_text(change);
    if (!changes.empty()) ++changed;
  }
  const size_t all = list_at(document, "series").size();
  const double alpha = number_at(document["rules"], "alpha").value_or(0);
  text += fmt::format(
      "\n{} runs, {} series, {} with a change. Each series without one would show one with chance {:g} % at "
      "most: "
      "{:.1f} of so many. Advisory: nothing here decides, 'tickmark compare' does.\n",
      document["runs"].get<size_t>(), all, changed, alpha * 100, alpha * static_cast<double>(all));
  return text;
}

Expected<int> run_verb(const HistoryFlags& flags, bool json) {
  auto history = output::read_history(flags.file);
  if (!history) return std::unexpected(history.error());
  const Json document = output::changes_document(*history, flags.filter);
  if (document["series"].empty() && !history->runs.empty()) {
    return usage_error(
        fmt::format("{} has no series with --subject '{}', --cell '{}' and --metric '{}'; each takes a "
                    "part of a name that 'tickmark history {}' prints",
                    flags.file, flags.filter.subject, flags.filter.cell, flags.filter.metric, flags.file));
  }
  if (!flags.chart.empty()) {
    if (auto drawn = render_history(document, flags.chart); !drawn) return std::unexpected(drawn.error());
  }
  for (const std::string& note : history->notes) fmt::print(stderr, "note: {}\n", note);
  fmt::print("{}", json ? output::document_text(document) : history_text(document));
  if (!flags.chart.empty() && !json) fmt::print("Chart   {}\n", flags.chart);
  return kOk;
}

}  // namespace

void add_history(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<HistoryFlags>();
  CLI::App* verb =
      add_verb(app, invocation, "history", "change points over the runs in a file of run --history",
               [flags, &invocation] { return run_verb(*flags, invocation.json); });
  verb->add_option("file", flags->file, "what 'tickmark run --history FILE' appended to")->required();
  verb->add_option("--subject", flags->filter.subject, "only series whose subject contains this");
  verb->add_option("--cell", flags->filter.cell, "only series whose cell contains this, as sockets");
  verb->add_option("--metric", flags->filter.metric, "only series whose metric contains this, as cpu");
  verb->add_option("--chart", flags->chart, "draw them into this file, .png or .svg");
}

}  // namespace tickmark::cli
