#include "harness/cli/find_max.h"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cli/load_report.h"
#include "harness/cli/units.h"

namespace tickmark::cli {
namespace {

using load::Outcome;

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ') out += c;
  }
  return out;
}

std::string_view name_of(Outcome outcome) {
  return outcome == Outcome::kept ? "kept" : outcome == Outcome::broken ? "broken" : "void";
}

load::Probe judge(const load::LoadConfig& config, const load::LoadReport& report,
                  const load::Objective& objective) {
  const load::LaneReport& lane = report.lanes.front();
  load::Probe probe;
  if (const auto reasons = invalid_reasons(config, report); !reasons.empty()) {
    probe.reason = reasons.front();
    return probe;
  }
  const uint64_t known = lane.response_time.count() + lane.censored.count();
  if (!stats::percentile_supported(known, objective.q)) {
    probe.reason =
        fmt::format("{} requests are too few for that percentile: take a longer --duration", known);
    return probe;
  }
  const auto value = stats::censored_quantile(lane.response_time, lane.censored, objective.q);
  probe.value = value->value;
  const double failed = static_cast<double>(lane.counts.errors) / static_cast<double>(lane.counts.scheduled);
  const bool kept = !value->at_least && value->value < objective.limit && failed < 1 - objective.q;
  probe.outcome = kept ? Outcome::kept : Outcome::broken;
  return probe;
}

std::string rate_text(double rate) { return print_count(static_cast<uint64_t>(rate)) + "/s"; }

}  // namespace

Expected<load::Objective> parse_objective(std::string_view text) {
  const std::string plain = without_blanks(text);
  const size_t less = plain.find('<');
  double percent = 0;
  if (less != std::string::npos && plain.starts_with("p")) {
    const auto [end, error] = std::from_chars(plain.data() + 1, plain.data() + less, percent);
    if (error != std::errc{} || end != plain.data() + less) percent = 0;
  }
  if (percent < 50 || percent > 99.99) {
    return usage_error(
        fmt::format("--find-max '{}' is no objective; expected a percentile from p50 to p99.99 and a limit, "
                    "as 'p99<10ms'",
                    text));
  }
  const auto limit = parse_duration("--find-max", plain.substr(less + 1));
  if (!limit) return std::unexpected(limit.error());
  return load::Objective{.q = percent / 100, .limit = *limit};
}

Expected<load::Probe> probe_rate(load::LoadConfig config, const load::LoadHooks& hooks,
                                 const load::Objective& objective, double rate_per_s, uint64_t seed) {
  config.lanes.front().rate_per_s = rate_per_s;
  config.seed = seed;
  const auto report = load::run_load(config, hooks);
  if (!report) return std::unexpected(report.error());
  if (report->interrupted) return environment_error("the search was interrupted");
  load::Probe probe = judge(config, *report, objective);
  probe.rate_per_s = rate_per_s;
  probe.seed = seed;
  return probe;
}

std::string print_knee(const load::Knee& knee, std::string_view objective) {
  std::string text;
  for (const load::Probe& probe : knee.probes) {
    const std::string seen = probe.outcome == Outcome::void_ ? probe.reason : print_duration(probe.value);
    text += fmt::format("{:>14}  {:<7} {}\n", rate_text(probe.rate_per_s), name_of(probe.outcome), seen);
  }
  if (knee.kept_per_s > 0 && knee.broken_per_s > 0) {
    text += fmt::format("{} is kept up to between {} and {} ({} loads)\n", objective,
                        rate_text(knee.kept_per_s), rate_text(knee.broken_per_s), knee.probes.size());
  } else if (knee.kept_per_s > 0) {
    text += fmt::format("{} is kept at {} at least\n", objective, rate_text(knee.kept_per_s));
  } else {
    text += fmt::format("{} was kept in no load\n", objective);
  }
  if (!knee.open_end.empty()) text += fmt::format("INCONCLUSIVE: {}\n", knee.open_end);
  return text;
}

std::string knee_json(const load::Knee& knee, std::string_view objective) {
  using nlohmann::ordered_json;
  const auto end = [](double rate) { return rate > 0 ? ordered_json(rate) : ordered_json(nullptr); };
  ordered_json out{{"schema", "tickmark.knee/1"},
                   {"objective", objective},
                   {"kept_rate_per_s", end(knee.kept_per_s)},
                   {"broken_rate_per_s", end(knee.broken_per_s)},
                   {"open_end", knee.open_end},
                   {"loads", ordered_json::array()}};
  for (const load::Probe& probe : knee.probes) {
    out["loads"].push_back({{"rate_per_s", probe.rate_per_s},
                            {"seed", probe.seed},
                            {"outcome", name_of(probe.outcome)},
                            {"response_time_ns", probe.value.count()},
                            {"reason", probe.reason}});
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace tickmark::cli
