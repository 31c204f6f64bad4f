// From what happened in a trial to its record in the bundle, key by key as docs/bundle.md lists them.

#include <cmath>
#include <fmt/format.h>

#include "harness/output/bundle_writer.h"
#include "harness/run/trial.h"

namespace tickmark::run {
namespace {

using output::Json;

struct Percentile {
  const char* key;
  double q;
};
constexpr Percentile kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};

/// Percentiles of a distribution of which some members are known only by their age. A percentile stands
/// only where at least ten values lie above it; `at_least` names those that are lower bounds.
Json distribution(const stats::Histogram& values, const stats::Histogram* censored = nullptr) {
  static const stats::Histogram none;
  const stats::Histogram& lower = censored ? *censored : none;
  Json json = {{"count", values.count()}};
  Json at_least = Json::array();
  const uint64_t n = values.count() + lower.count();
  for (const auto& [key, q] : kPercentiles) {
    if (!stats::percentile_supported(n, q)) continue;
    const auto quantile = stats::censored_quantile(values, lower, q);
    if (!quantile) continue;
    json[key] = quantile->value.count();
    if (quantile->at_least) at_least.push_back(key);
  }
  if (values.max()) json["max"] = values.max()->count();
  if (values.mean_ns()) json["mean"] = *values.mean_ns();
  if (!at_least.empty()) json["at_least"] = at_least;
  return json;
}

Json lane_to_json(const load::LaneReport& lane) {
  Json series = Json::array();
  for (const load::SeriesPoint& point : lane.series) {
    series.push_back({{"start_ns", point.start.count()},
                      {"completed", point.completed},
                      {"errors", point.errors},
                      {"latency_ns_p50", point.latency_p50.count()},
                      {"latency_ns_p99", point.latency_p99.count()},
                      {"latency_ns_max", point.latency_max.count()}});
  }
  const load::Counts& c = lane.counts;
  Json json = {{"name", lane.name},
               {"counts",
                {{"scheduled", c.scheduled},
                 {"completed", c.completed},
                 {"errors", c.errors},
                 {"timeouts", c.timeouts},
                 {"in_flight", c.in_flight},
                 {"unsent", c.unsent}}},
               {"connections_requested", lane.connections_requested},
               {"connections_established", lane.connections_established},
               {"connections_never_served", lane.connections_never_served},
               {"connections_lost", lane.connections_lost},
               {"reconnects", lane.reconnects},
               {"oldest_unanswered_ns", lane.oldest_unanswered.count()},
               {"achieved_per_s", lane.achieved_rate_per_s},
               {"scheduled_per_s", lane.scheduled_rate_per_s},
               {"little_error", lane.little_error},
               {"bytes_sent", lane.bytes_sent},
               {"bytes_received", lane.bytes_received},
               {"wrong_replies", lane.wrong_replies},
               {"response_time_ns", distribution(lane.response_time, &lane.censored)},
               {"service_time_ns", distribution(lane.service_time)},
               {"connect_time_ns", distribution(lane.connect_time)},
               {"connection_wait_ns", distribution(lane.connection_wait)},
               {"series", series}};
  if (lane.stationarity) {
    json["stationarity"] = {{"drift", lane.stationarity->drift},
                            {"start_excess", lane.stationarity->start_excess}};
  }
  return json;
}

void add_latency(Json& metrics, const load::LaneReport& lane) {
  const Json response = distribution(lane.response_time, &lane.censored);
  for (const char* key : {"p50", "p90", "p95", "p99", "p999", "mean", "max"}) {
    if (response.contains(key)) metrics[fmt::format("latency_ns_{}", key)] = response[key];
  }
  const Json service = distribution(lane.service_time);
  for (const char* key : {"p50", "p99"}) {
    if (service.contains(key)) metrics[fmt::format("service_ns_{}", key)] = service[key];
  }
}

void add_cost(Json& metrics, const TrialOutcome& outcome) {
  const TrialSamples& samples = outcome.samples;
  if (!samples.has_window) return;
  metrics["cpu_share"] = outcome.facts.subject_cpu_share;
  const auto requests = static_cast<double>(outcome.facts.load.answered_between_hooks);
  if (requests < 1) return;
  const process::TreeUsage used = samples.window_end - samples.window_begin;
  metrics["cpu_ns_per_request"] = static_cast<double>(used.cpu_time.count()) / requests;
  if (samples.threads_sampled) {
    metrics["run_queue_wait_ns_per_request"] = static_cast<double>(used.run_queue_wait.count()) / requests;
    metrics["context_switches_per_request"] = static_cast<double>(used.context_switches) / requests;
  } else if (samples.alone) {
    metrics["context_switches_per_request"] = static_cast<double>(samples.machine_switches) / requests;
  }
}

void add_memory(Json& metrics, const TrialOutcome& outcome, int connections) {
  const TrialSamples& samples = outcome.samples;
  if (!samples.has_memory) return;
  const process::TreeUsage& after = samples.memory_after;
  metrics["memory_bytes"] = after.pss_bytes;
  const double grown = static_cast<double>(after.pss_unbacked_bytes) -
                       static_cast<double>(samples.memory_before.pss_unbacked_bytes);
  metrics["memory_bytes_per_connection"] = std::max(0.0, grown) / connections;
  if (samples.alone) {
    metrics["kernel_memory_bytes_per_connection"] =
        process::kernel_bytes_per_connection(samples.kernel_before, samples.kernel_after, connections);
  }
  metrics["processes"] = after.processes;
  metrics["threads"] = after.threads;
}

Json metrics_json(const TrialOutcome& outcome, const PlannedCell& cell) {
  Json metrics = Json::object();
  const load::LaneReport& lane = outcome.facts.load.lanes[outcome.facts.headline_lane];
  const PlannedLane& planned = cell.lanes[outcome.facts.headline_lane];
  metrics["throughput_per_s"] = lane.achieved_rate_per_s;
  metrics["scheduled_per_s"] = lane.scheduled_rate_per_s;
  if (planned.arrivals != load::Arrivals::kClosed) metrics["offered_per_s"] = planned.rate_per_s;
  add_latency(metrics, lane);
  add_cost(metrics, outcome);
  int connections = 0;
  for (const PlannedLane& l : cell.lanes) connections += l.connections;
  add_memory(metrics, outcome, connections);
  if (lane.header_bytes_per_reply > 0) metrics["header_bytes_per_reply"] = lane.header_bytes_per_reply;
  if (lane.bytes_per_reply > 0) metrics["bytes_per_reply"] = lane.bytes_per_reply;
  return metrics;
}

/// Names of the metrics that are only lower bounds: more requests went unanswered than lie above them.
Json lower_bounds(const load::LaneReport& lane) {
  Json names = Json::array();
  const Json response = distribution(lane.response_time, &lane.censored);
  for (const Json& key : output::list_at(response, "at_least")) {
    names.push_back("latency_ns_" + key.get<std::string>());
  }
  return names;
}

Json client_json(const load::ClientReport& client) {
  Json json = {{"cpu_utilisation", client.cpu_utilisation},
               {"cpu_ns", client.cpu_time.count()},
               {"late_share", client.late_share},
               {"syscalls", client.syscalls},
               {"realtime", client.realtime},
               {"ramp_ns", client.ramp_time.count()}};
  if (const auto p50 = client.lateness.quantile(0.5)) json["lateness_ns_p50"] = p50->count();
  if (const auto p99 = client.lateness.quantile(0.99)) json["lateness_ns_p99"] = p99->count();
  return json;
}

Json head(const PlannedTrial& trial, const PlannedCell& cell) {
  return {{"schema", "tickmark.trial/1"},
          {"trial", trial.trial},
          {"block", trial.block},
          {"cell", trial.cell},
          {"subject", trial.subject},
          {"workload", cell.workload},
          {"placement", cell.placement == Placement::kShared ? "shared" : "isolated"},
          {"seed", trial.seed}};
}

}  // namespace

Json unrun_trial_to_json(const std::string& status, const std::string& reason, const PlannedTrial& trial,
                         const PlannedCell& cell) {
  Json json = head(trial, cell);
  json["started_utc"] = output::utc_text(output::wall_clock());
  json["wall_s"] = 0.0;
  json["status"] = status;
  json["reason"] = reason;
  return json;
}

Json trial_to_json(const TrialOutcome& outcome, const PlannedTrial& trial, const PlannedCell& cell) {
  Json json = head(trial, cell);
  json["started_utc"] = output::utc_text(outcome.started_wall);
  json["wall_s"] = std::round(seconds(outcome.wall) * 1000) / 1000;
  json["status"] = outcome.status;
  json["reason"] = outcome.reason;
  json["exit"] = {{"code", outcome.exit.code}, {"signal", outcome.exit.signal}};
  if (!outcome.exit.final_counters.is_null()) json["subject_final"] = outcome.exit.final_counters;
  const std::string& err = outcome.exit.stderr_tail;
  if (!err.empty()) json["stderr"] = err.substr(err.size() - std::min<size_t>(err.size(), 2048));
  if (!outcome.loaded) return json;
  const load::LoadReport& load = outcome.facts.load;
  json["lanes"] = Json::array();
  for (const load::LaneReport& lane : load.lanes) json["lanes"].push_back(lane_to_json(lane));
  json["client"] = client_json(load.client);
  json["warmup_ns"] = outcome.warmup.count();
  // Without a window (ramp failed, interrupted) there are counts but nothing that was measured.
  if (!outcome.samples.has_window || load.lanes.empty()) return json;
  const process::Environment& environment = outcome.facts.environment;
  json["environment"] = {{"foreign_cpu_share", environment.foreign_cpu_share},
                         {"steal_share", environment.steal_share},
                         {"listen_overflows", environment.listen_overflows},
                         {"listen_drops", environment.listen_drops},
                         {"syn_cookies", environment.syn_cookies},
                         {"retransmits", environment.retransmits}};
  if (outcome.facts.canary > Nanos{0}) json["environment"]["canary_ns"] = outcome.facts.canary.count();
  if (outcome.facts.canary_usual > Nanos{0})
    json["environment"]["canary_usual_ns"] = outcome.facts.canary_usual.count();
  json["metrics"] = metrics_json(outcome, cell);
  const Json bounds = lower_bounds(load.lanes[outcome.facts.headline_lane]);
  if (!bounds.empty()) json["lower_bounds"] = bounds;
  json["validity"] = validity_json(judge(outcome.facts));
  if (!outcome.samples.threads_sampled && outcome.samples.alone) {
    json["validity"]["cpu"]["reasons"].push_back(
        fmt::format("context switches are those of the whole machine without the client's: {} threads are "
                    "too many to read one "
                    "by one at the window's edges",
                    outcome.samples.memory_after.threads));
  }
  return json;
}

std::vector<TaggedHistogram> trial_histograms(const TrialOutcome& outcome, const PlannedTrial& trial) {
  std::vector<TaggedHistogram> tagged;
  if (!outcome.loaded) return tagged;
  for (const load::LaneReport& lane : outcome.facts.load.lanes) {
    const std::pair<const char*, const stats::Histogram*> all[] = {{"response", &lane.response_time},
                                                                   {"service", &lane.service_time},
                                                                   {"censored", &lane.censored},
                                                                   {"connect", &lane.connect_time}};
    for (const auto& [what, histogram] : all) {
      if (!histogram->empty())
        tagged.push_back({fmt::format("t{}.{}.{}", trial.trial, lane.name, what), *histogram});
    }
  }
  return tagged;
}

}  // namespace tickmark::run
