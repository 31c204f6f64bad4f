#include "harness/cli/load_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cli/units.h"
#include "harness/run/validity.h"

namespace tickmark::cli {
namespace {

using nlohmann::ordered_json;
using stats::Histogram;

// Above this share of its core a closed loop measures the client as much as the server.
constexpr double kClientLimited = 0.9;

bool is_open(const load::LoadConfig& config) {
  return config.lanes.front().arrivals != load::Arrivals::kClosed;
}

bool client_limited(const load::LoadConfig& config, const load::LoadReport& report) {
  return !is_open(config) && report.client.cpu_utilisation > kClientLimited;
}

struct Percentile {
  const char* key;
  const char* title;
  double q;
};
constexpr Percentile kPercentiles[] = {{"p50", "p50", 0.5},
                                       {"p90", "p90", 0.9},
                                       {"p95", "p95", 0.95},
                                       {"p99", "p99", 0.99},
                                       {"p999", "p99.9", 0.999}};

/// A percentile with the unanswered requests in it; nothing where fewer than ten values lie above it.
std::optional<stats::CensoredQuantile> percentile(const Histogram& completed, const Histogram& censored,
                                                  double q) {
  if (!stats::percentile_supported(completed.count() + censored.count(), q)) return std::nullopt;
  return stats::censored_quantile(completed, censored, q);
}

ordered_json json_of(const Histogram& histogram, const Histogram& censored) {
  ordered_json out;
  for (const auto& [key, title, q] : kPercentiles) {
    const auto value = percentile(histogram, censored, q);
    out[key] = value ? ordered_json(value->value.count()) : ordered_json(nullptr);
    if (value && value->at_least) out["at_least"].push_back(key);
  }
  out["max"] = histogram.max() ? ordered_json(histogram.max()->count()) : ordered_json(nullptr);
  out["mean"] = histogram.mean_ns() ? ordered_json(*histogram.mean_ns()) : ordered_json(nullptr);
  out["count"] = histogram.count();
  return out;
}

std::string row(const char* title, const Histogram& histogram, const Histogram& censored, const char* note) {
  std::string line = fmt::format("{:<16}", title);
  for (const auto& [key, heading, q] : kPercentiles) {
    const auto value = percentile(histogram, censored, q);
    const std::string text =
        !value ? "-" : fmt::format("{}{}", value->at_least ? ">= " : "", print_duration(value->value));
    line += fmt::format("{:>11}", text);
  }
  line += fmt::format("{:>11}", histogram.max() ? print_duration(*histogram.max()) : "-");
  const Nanos mean{static_cast<int64_t>(histogram.mean_ns().value_or(0))};
  return line + fmt::format("{:>11}   {}\n", histogram.empty() ? "-" : print_duration(mean), note);
}

std::string text_of(const load::LoadConfig& config, const load::LoadReport& report,
                    const LoadSummary& summary) {
  const load::LaneReport& lane = report.lanes.front();
  const load::LaneConfig& asked = config.lanes.front();
  const bool closed = !is_open(config);
  const Histogram none;
  std::string text =
      closed
          ? fmt::format("Closed loop, {} connections, {:.1f} s: {:.0f} completed per second\n",
                        asked.connections, seconds(report.window), lane.achieved_rate_per_s)
          : fmt::format("Open loop, {} connections, {:.1f} s: offered {:.0f}, completed {:.0f} per second\n",
                        asked.connections, seconds(report.window), lane.scheduled_rate_per_s,
                        lane.achieved_rate_per_s);
  text += fmt::format("{:<16}", "");
  for (const auto& [key, heading, q] : kPercentiles) text += fmt::format("{:>11}", heading);
  text += fmt::format("{:>11}{:>11}\n", "max", "mean");
  if (closed) {
    text += row("service time", lane.service_time, none,
                "from the actual send time: a closed loop hides what it did not ask");
  } else {
    text += row("response time", lane.response_time, lane.censored, "from the intended send time");
    text += row("service time", lane.service_time, none, "from the actual send time");
  }
  text += row("client lateness", report.client.lateness, none, "sends delayed by the generator itself");
  const load::Counts& c = lane.counts;
  text += fmt::format("scheduled {} = completed {} + errors {} + timeouts {} + in flight {} + unsent {}\n",
                      print_count(c.scheduled), print_count(c.completed), print_count(c.errors),
                      print_count(c.timeouts), print_count(c.in_flight), print_count(c.unsent));
  text += fmt::format("connections {} of {}, never served {}, lost {}; client used {:.0f} % of a core\n",
                      lane.connections_established, lane.connections_requested, lane.connections_never_served,
                      lane.connections_lost, report.client.cpu_utilisation * 100);
  if (client_limited(config, report)) text += "client-limited: the server can do at least this much\n";
  for (const std::string& reason : summary.invalid_reasons) text += fmt::format("INVALID: {}\n", reason);
  if (summary.valid) text += "valid\n";
  return text;
}

std::string json_document(const load::LoadConfig& config, const load::LoadReport& report,
                          const LoadSummary& summary) {
  const load::LaneReport& lane = report.lanes.front();
  const Histogram none;
  const bool closed = !is_open(config);
  ordered_json out;
  out["schema"] = "tickmark.load/1";
  out["loop"] = closed ? "closed" : "open";
  out["scheduled"] = lane.counts.scheduled;
  out["completed"] = lane.counts.completed;
  out["errors"] = lane.counts.errors;
  out["timeouts"] = lane.counts.timeouts;
  out["in_flight"] = lane.counts.in_flight;
  out["unsent"] = lane.counts.unsent;
  out["response_time_ns"] = json_of(lane.response_time, lane.censored);
  out["service_time_ns"] = json_of(lane.service_time, none);
  out["generator_lateness_ns"] = json_of(report.client.lateness, none);
  out["connection_wait_ns"] = json_of(lane.connection_wait, none);
  out["connect_time_ns"] = json_of(lane.connect_time, none);
  out["achieved_rate_per_s"] = lane.achieved_rate_per_s;
  out["scheduled_rate_per_s"] = lane.scheduled_rate_per_s;
  out["window_s"] = seconds(report.window);
  out["connections"] = {{"requested", lane.connections_requested},
                        {"established", lane.connections_established},
                        {"never_served", lane.connections_never_served},
                        {"lost", lane.connections_lost}};
  out["oldest_unanswered_ns"] = lane.oldest_unanswered.count();
  out["wrong_replies"] = lane.wrong_replies;
  out["little_error"] = lane.little_error;
  out["header_bytes_per_reply"] = lane.header_bytes_per_reply;
  out["valid"] = summary.valid;
  out["invalid_reasons"] = summary.invalid_reasons;
  out["client_limited"] = client_limited(config, report);
  out["interrupted"] = report.interrupted;
  out["client"] = {{"cpu_utilisation", report.client.cpu_utilisation},
                   {"cpu_ns", report.client.cpu_time.count()},
                   {"threads", 1},
                   {"late_share", report.client.late_share},
                   {"syscalls", report.client.syscalls},
                   {"ramp_ns", report.client.ramp_time.count()}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::vector<std::string> invalid_reasons(const load::LoadConfig& config, const load::LoadReport& report) {
  std::vector<std::string> reasons;
  if (!report.failure.empty()) reasons.push_back(report.failure);
  if (report.interrupted) reasons.push_back("the load was interrupted before its window ended");
  const load::LaneReport& lane = report.lanes.front();
  if (lane.wrong_replies > 0) {
    reasons.push_back(fmt::format("{} replies were wrong: {}", lane.wrong_replies, lane.wrong_reply));
  }
  // The rules of a trial, without what only the machine's owner of a trial can know: the environment, and
  // the subject's own CPU (1 core is assumed, so that a closed loop at the client's limit is a note here).
  run::TrialFacts facts;
  facts.open_loop = is_open(config);
  facts.storm = config.scenario == load::Scenario::kStorm;
  facts.subject_cpu_share = 1;
  facts.load = report;
  // A queue that grows is an answer to whoever looks for the knee; the series of a single load is for its
  // reader.
  for (load::LaneReport& own : facts.load.lanes) own.stationarity.reset();
  for (const run::Finding& finding : run::judge(facts)) {
    if ((finding.rule->voids & run::kLatency) != 0) reasons.push_back(finding.sentence);
  }
  return reasons;
}

LoadSummary summarise(const load::LoadConfig& config, const load::LoadReport& report) {
  LoadSummary summary;
  summary.invalid_reasons = invalid_reasons(config, report);
  summary.valid = summary.invalid_reasons.empty();
  summary.text = text_of(config, report, summary);
  summary.json = json_document(config, report, summary);
  return summary;
}

}  // namespace tickmark::cli
