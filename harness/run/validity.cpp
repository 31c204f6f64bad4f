#include "harness/run/validity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace tickmark::run {
namespace {

using Sentence = std::optional<std::string>;

double percent(double share) { return share * 100; }

Sentence count_identity(const TrialFacts& facts, double) {
  for (const load::LaneReport& lane : facts.load.lanes) {
    const load::Counts& c = lane.counts;
    const uint64_t sum = c.completed + c.errors + c.timeouts + c.in_flight + c.unsent;
    if (sum != c.scheduled) {
      return fmt::format(
          "lane {}: {} requests were scheduled but {} are accounted for; the generator lost count", lane.name,
          c.scheduled, sum);
    }
  }
  return {};
}

Sentence little_law(const TrialFacts& facts, double threshold) {
  for (const load::LaneReport& lane : facts.load.lanes) {
    if (!(std::abs(lane.little_error) <= threshold)) {
      return fmt::format(
          "lane {}: Little's law is off by {:.3f} % (allowed: {:.1f} %), so the generator's times and "
          "its count of requests in flight contradict each other",
          lane.name, percent(std::abs(lane.little_error)), percent(threshold));
    }
  }
  return {};
}

constexpr double kClientAtLimit = 0.90;

Sentence client_at_limit(const TrialFacts& facts, double threshold) {
  const double used = facts.load.client.cpu_utilisation;
  if (!facts.open_loop || used <= threshold) return {};
  return fmt::format(
      "the load generator used {:.0f} % of its core (at most {:.0f} % in the open loop), so it may have "
      "been the slower side",
      percent(used), percent(threshold));
}

Sentence client_busy(const TrialFacts& facts, double threshold) {
  const double used = facts.load.client.cpu_utilisation;
  if (!facts.open_loop || used <= threshold || used > kClientAtLimit) return {};
  return fmt::format("the load generator used {:.0f} % of its core, so these times contain some of its own",
                     percent(used));
}

Sentence client_limited_closed(const TrialFacts& facts, double threshold) {
  const double used = facts.load.client.cpu_utilisation;
  // A closed loop drives somebody to the limit; it must be the subject.
  if (facts.open_loop || used <= threshold || facts.subject_cpu_share >= 0.95) return {};
  return fmt::format(
      "client-limited: the load generator used {:.0f} % of its core while the subject used only {:.2f} "
      "cores; the subject can do at least this much",
      percent(used), facts.subject_cpu_share);
}

Sentence generator_lateness(const TrialFacts& facts, double threshold) {
  if (!facts.open_loop) return {};
  const auto late = facts.load.client.lateness.quantile(0.99);
  const auto median = facts.load.lanes[facts.headline_lane].response_time.quantile(0.5);
  const double median_ns = median ? static_cast<double>(median->count()) : 0;
  const double allowed = std::max(threshold, 0.1 * median_ns);
  if (!late || static_cast<double>(late->count()) <= allowed) return {};
  return fmt::format("the load generator itself sent late: p99 {:.2f} ms (allowed: {:.2f} ms)",
                     static_cast<double>(late->count()) / 1e6, allowed / 1e6);
}

Sentence foreign_cpu(const TrialFacts& facts, double threshold) {
  const double share = facts.environment.foreign_cpu_share;
  if (share <= threshold) return {};
  return fmt::format(
      "other programs used {:.1f} % of this machine's CPU during the window (allowed: {:.0f} %)",
      percent(share), percent(threshold));
}

Sentence steal(const TrialFacts& facts, double threshold) {
  const double share = facts.environment.steal_share;
  if (share <= threshold) return {};
  return fmt::format("the hypervisor took {:.1f} % of the CPU during the window (allowed: {:.0f} %)",
                     percent(share), percent(threshold));
}

Sentence error_share(const TrialFacts& facts, double threshold) {
  for (const load::LaneReport& lane : facts.load.lanes) {
    const uint64_t bad = lane.counts.errors + lane.counts.timeouts;
    const double share = lane.counts.scheduled == 0
                             ? 0
                             : static_cast<double>(bad) / static_cast<double>(lane.counts.scheduled);
    if (share > threshold) {
      return fmt::format(
          "lane {}: {} of {} requests failed or timed out ({:.2f} %, allowed: {:.1f} %), and a reply "
          "that never came flatters the others",
          lane.name, bad, lane.counts.scheduled, percent(share), percent(threshold));
    }
  }
  return {};
}

Sentence connections_lost(const TrialFacts& facts, double threshold) {
  uint64_t lost = 0, anew = 0;
  for (const load::LaneReport& lane : facts.load.lanes) {
    lost += lane.connections_lost;
    anew += lane.reconnects;
  }
  if (static_cast<double>(std::max(lost, anew)) <= threshold) return {};
  return fmt::format(
      "{} connections were closed or reset by the subject during the load, and {} connects replaced "
      "connections that were to be kept",
      lost, anew);
}

Sentence never_served(const TrialFacts& facts, double threshold) {
  uint64_t never = 0;
  for (const load::LaneReport& lane : facts.load.lanes) never += lane.connections_never_served;
  if (static_cast<double>(never) <= threshold) return {};
  return fmt::format("{} connections were never served, so the times are those of the others", never);
}

Sentence offered_rate(const TrialFacts& facts, double threshold) {
  for (const load::LaneReport& lane : facts.load.lanes) {
    const double expected = lane.offered_rate_per_s * seconds(facts.load.window);
    const double off = std::abs(static_cast<double>(lane.counts.scheduled) - expected);
    // Poisson arrivals scatter by the root of their number; four of those happen once in 16,000.
    if (lane.offered_rate_per_s == 0 || off <= threshold * expected + 4 * std::sqrt(expected)) continue;
    return fmt::format(
        "lane {}: {} requests fell due where the plan offers {:.0f} ({:.0f} per second); the generator asked "
        "something else than was planned",
        lane.name, lane.counts.scheduled, expected, lane.offered_rate_per_s);
  }
  return {};
}

// Of fewer requests, median and mean move by as much without any reason.
constexpr uint64_t kRequestsForDrift = 500;

/// Nothing where a queue that grows explains it, which is the status `saturated`.
std::optional<stats::Stationarity> stationarity_of(const TrialFacts& facts) {
  const load::LaneReport& lane = facts.load.lanes[facts.headline_lane];
  if (lane.response_time.count() < kRequestsForDrift || saturation(facts.load)) return {};
  return lane.stationarity;
}

Sentence warm_up(const TrialFacts& facts, double threshold) {
  const auto seen = stationarity_of(facts);
  if (!seen || seen->start_excess <= threshold) return {};
  return fmt::format(
      "the first fifth of the window was slower than its end by {:.0f} % (allowed: {:.0f} %), "
      "so the warm-up was too short",
      percent(seen->start_excess), percent(threshold));
}

/// As a ratio, so that half as fast and twice as fast are the same distance.
bool drifts(const std::optional<stats::Stationarity>& seen, double threshold) {
  return seen && std::max(1 + seen->drift, 1 / (1 + seen->drift)) > 1 + threshold;
}

constexpr double kDriftMax = 0.50;

Sentence drift(const TrialFacts& facts, double threshold) {
  const auto seen = stationarity_of(facts);
  if (!drifts(seen, threshold) || drifts(seen, kDriftMax)) return {};
  return fmt::format(
      "latency changed by {:+.0f} % from the first two fifths of the window to the last two, so one "
      "trial resolves no smaller difference",
      percent(seen->drift));
}

Sentence stationarity(const TrialFacts& facts, double threshold) {
  const auto seen = stationarity_of(facts);
  if (!drifts(seen, threshold)) return {};
  return fmt::format(
      "the window was not stationary: its latency changed by {:+.0f} % from the first two fifths to "
      "the last two (allowed: {:.0f} %)",
      percent(seen->drift), percent(threshold));
}

Sentence spin_canary(const TrialFacts& facts, double threshold) {
  if (facts.canary <= Nanos{0} || facts.canary_usual <= Nanos{0}) return {};
  const double slower = seconds(facts.canary) / seconds(facts.canary_usual) - 1;
  // Where the host makes it vary by some per cent all the time, that is this machine's usual speed.
  const double allowed = std::max(threshold, 3 * facts.canary_spread);
  if (slower <= allowed) return {};
  return fmt::format(
      "fixed work took {:.1f} % longer before this trial than is usual in this run (allowed: {:.0f} %), so "
      "its core was slower",
      percent(slower), percent(allowed));
}

Sentence nothing_completed(const TrialFacts& facts, double) {
  const load::LaneReport& lane = facts.load.lanes[facts.headline_lane];
  if (lane.response_time.count() > 0) return {};
  return fmt::format("lane {}: no request completed in the window, so there is nothing to divide by",
                     lane.name);
}

Sentence storm(const TrialFacts& facts, double) {
  if (!facts.storm) return {};
  return "a storm asks who is served at all; its counts are the result, its times are of the lucky ones";
}

Sentence censored(const TrialFacts& facts, double) {
  const load::LaneReport& lane = facts.load.lanes[facts.headline_lane];
  if (lane.censored.empty()) return {};
  return fmt::format(
      "{} requests were unanswered at the end; they count with their age, so high percentiles are lower "
      "bounds",
      lane.censored.count());
}

Sentence listen_overflow(const TrialFacts& facts, double threshold) {
  const process::Environment& seen = facts.environment;
  const uint64_t refused = std::max(seen.listen_overflows, seen.listen_drops);
  if (static_cast<double>(refused + seen.syn_cookies) <= threshold) return {};
  return fmt::format("a listen queue overflowed {} times and was defended with {} SYN cookies", refused,
                     seen.syn_cookies);
}

Sentence retransmits(const TrialFacts& facts, double threshold) {
  uint64_t completed = 0;
  for (const load::LaneReport& lane : facts.load.lanes) completed += lane.counts.completed;
  const auto sent_again = static_cast<double>(facts.environment.retransmits);
  // A growing queue delays its own acknowledgements; that is its result.
  if (sent_again <= threshold * static_cast<double>(completed) || saturation(facts.load)) return {};
  return fmt::format("TCP retransmitted {} segments on this machine, for {} requests (allowed: {:.0f} %)",
                     facts.environment.retransmits, completed, percent(threshold));
}

constexpr double kRetransmitsMax = 0.01;

Sentence few_retransmits(const TrialFacts& facts, double threshold) {
  if (static_cast<double>(facts.environment.retransmits) <= threshold || retransmits(facts, kRetransmitsMax))
    return {};
  return fmt::format("TCP retransmitted {} segments on this machine", facts.environment.retransmits);
}

constexpr unsigned kTimes = kLatency | kThroughput;

// clang-format off
constexpr ValidityRule kRules[] = {
    // name                  voids                notes     storm  invalid threshold and its unit
    {"count_identity",        kAllFamilies,        0,        true,  true,  0,     Unit::kNone,  count_identity,
     "scheduled = completed + errors + timeouts + in flight + unsent, of each lane"},
    {"little_law",            kAllFamilies,        0,        true,  true,  0.001, Unit::kShare, little_law,
     "mean number in flight, counted, against rate x mean latency"},
    {"nothing_completed",     kTimes | kCpu,       0,        true,  false, 0,     Unit::kNone,  nothing_completed,
     "replies within the window"},
    {"storm",                 kTimes | kCpu,       0,        true,  false, 0,     Unit::kNone,  storm,
     "the scenario"},
    {"client_at_limit",       kTimes,              0,        false, false, kClientAtLimit, Unit::kShare,
     client_at_limit, "open loop: the generator's share of its core, without spinning"},
    {"client_limited_closed", kTimes,              0,        false, false, 0.90,  Unit::kShare, client_limited_closed,
     "closed loop: the same, while the subject uses less than 0.95 cores"},
    {"generator_lateness",    kLatency,            0,        false, false, 1e6,   Unit::kNanos, generator_lateness,
     "open loop: p99 of sends that the generator itself delayed; a tenth of the median latency where that is more"},
    {"offered_rate",          kTimes,              0,        false, false, 0.01,  Unit::kShare, offered_rate,
     "open loop: requests that fell due against the planned rate, beyond four standard deviations"},
    {"foreign_cpu",           kTimes,              0,        false, false, 0.05,  Unit::kShare, foreign_cpu,
     "/proc/stat: CPU of the machine that is neither the subjects' nor the generator's"},
    {"steal",                 kTimes,              0,        false, false, 0.02,  Unit::kShare, steal,
     "/proc/stat: CPU the hypervisor took"},
    {"spin_canary",           kTimes,              kCpu,     false, false, 0.05,  Unit::kShare, spin_canary,
     "20 ms of fixed work on the subject's core before the trial, against the run's median so far (of five or more); "
     "three times their spread where that is more"},
    {"warm_up",               kTimes,              0,        false, false, 1.00,  Unit::kShare, warm_up,
     "latency of the window's first fifth above that of its last three, of 500 requests or more: median or mean, "
     "whichever is the smaller change"},
    {"stationarity",          kTimes,              0,        false, false, kDriftMax, Unit::kShare, stationarity,
     "latency of the window's last two fifths against its first two, likewise"},
    {"drift",                 0,                   kTimes,   false, false, stats::Stationarity::kBudget,
     Unit::kShare, drift, "the same, below that limit"},
    {"error_share",           kTimes,              0,        false, false, 0.001, Unit::kShare, error_share,
     "requests of a lane that failed or timed out"},
    {"connections_lost",      kTimes,              0,        false, false, 0,     Unit::kCount, connections_lost,
     "connections closed by the subject, and reconnects, where connections are kept"},
    {"never_served",          kTimes,              0,        false, false, 0,     Unit::kCount, never_served,
     "connections without one correct reply until the window's end"},
    {"listen_overflow",       kLatency,            0,        true,  false, 0,     Unit::kCount, listen_overflow,
     "/proc/net/netstat: overflows, drops and SYN cookies of listening sockets"},
    {"retransmits",           kLatency,            0,        false, false, kRetransmitsMax, Unit::kShare, retransmits,
     "/proc/net/snmp: TCP segments sent again, of the requests completed"},
    {"few_retransmits",       0,                   kLatency, true,  false, 0,     Unit::kCount, few_retransmits,
     "the same, below that share"},
    {"censored",              0,                   kLatency, false, false, 0,     Unit::kCount, censored,
     "requests unanswered at the end"},
    // Below its limit a busy client is judged by its lateness, which is measured; what it adds to reading is not.
    {"client_busy",           0,                   kTimes,   false, false, 0.70,  Unit::kShare, client_busy,
     "open loop: the generator's share of its core, below its limit"},
};
// clang-format on

}  // namespace

std::span<const ValidityRule> validity_rules() { return kRules; }

std::vector<Finding> judge(const TrialFacts& facts) {
  std::vector<Finding> findings;
  for (const ValidityRule& rule : kRules) {
    if (facts.storm && !rule.in_storm) continue;
    if (auto sentence = rule.broken(facts, rule.threshold)) findings.push_back({&rule, std::move(*sentence)});
  }
  return findings;
}

std::optional<std::string> invalidation(std::span<const Finding> findings) {
  const auto found = std::ranges::find_if(findings, [](const Finding& f) { return f.rule->invalidates; });
  return found == findings.end() ? std::nullopt : std::optional(found->sentence);
}

output::Json validity_json(std::span<const Finding> findings) {
  output::Json json = output::Json::object();
  constexpr std::pair<Family, const char*> kNames[] = {
      {kLatency, "latency"}, {kThroughput, "throughput"}, {kCpu, "cpu"}, {kMemory, "memory"}};
  for (const auto& [family, name] : kNames) {
    output::Json& entry =
        json[name] = {{"valid", true}, {"reasons", output::Json::array()}, {"rules", output::Json::array()}};
    for (const Finding& finding : findings) {
      if (finding.rule->voids & family) {
        entry["valid"] = false;
        entry["rules"].push_back(finding.rule->name);
      }
      if ((finding.rule->voids | finding.rule->notes) & family) entry["reasons"].push_back(finding.sentence);
    }
  }
  return json;
}

std::optional<std::string> saturation(const load::LoadReport& load) {
  for (const load::LaneReport& lane : load.lanes) {
    const double window = seconds(load.window);
    const double behind = (lane.scheduled_rate_per_s - lane.achieved_rate_per_s) * window;
    const double accident = std::clamp(0.1 * lane.scheduled_rate_per_s * window, 3.0, 10.0);
    if (lane.achieved_rate_per_s >= 0.99 * lane.scheduled_rate_per_s || behind < accident) continue;
    return fmt::format("lane {}: {:.0f} of {:.0f} scheduled requests/s were answered; the queue grew",
                       lane.name, lane.achieved_rate_per_s, lane.scheduled_rate_per_s);
  }
  return {};
}

}  // namespace tickmark::run
