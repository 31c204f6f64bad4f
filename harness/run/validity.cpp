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
  uint64_t lost = 0;
  for (const load::LaneReport& lane : facts.load.lanes) lost += lane.connections_lost;
  if (static_cast<double>(lost) <= threshold) return {};
  return fmt::format("{} connections were closed or reset by the subject during the load", lost);
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
  if (static_cast<double>(facts.environment.listen_overflows) <= threshold) return {};
  return fmt::format("a listen queue overflowed {} times", facts.environment.listen_overflows);
}

Sentence retransmits(const TrialFacts& facts, double threshold) {
  if (static_cast<double>(facts.environment.retransmits) <= threshold) return {};
  return fmt::format("TCP retransmitted {} segments on this machine", facts.environment.retransmits);
}

constexpr unsigned kTimes = kLatency | kThroughput;

// clang-format off
constexpr ValidityRule kRules[] = {
    // name                  voids                notes     storm  invalid threshold
    {"count_identity",        kAllFamilies,        0,        true,  true,  0,     count_identity},
    {"little_law",            kAllFamilies,        0,        true,  true,  0.001, little_law},
    {"nothing_completed",     kTimes | kCpu,       0,        true,  false, 0,     nothing_completed},
    {"storm",                 kTimes | kCpu,       0,        true,  false, 0,     storm},
    {"client_at_limit",       kTimes,              0,        false, false, kClientAtLimit, client_at_limit},
    {"client_limited_closed", kTimes,              0,        false, false, 0.90,  client_limited_closed},
    {"generator_lateness",    kLatency,            0,        false, false, 1e6,   generator_lateness},
    {"foreign_cpu",           kTimes,              0,        false, false, 0.05,  foreign_cpu},
    {"steal",                 kTimes,              0,        false, false, 0.02,  steal},
    {"error_share",           kTimes,              0,        false, false, 0.001, error_share},
    {"connections_lost",      kTimes,              0,        false, false, 0,     connections_lost},
    {"censored",              0,                   kLatency, false, false, 0,     censored},
    {"listen_overflow",       0,                   kLatency, true,  false, 0,     listen_overflow},
    {"retransmits",           0,                   kLatency, true,  false, 0,     retransmits},
    // Below its limit a busy client is judged by its lateness, which is measured; what it adds to reading is not.
    {"client_busy",           0,                   kTimes,   false, false, 0.70,  client_busy},
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
    output::Json& entry = json[name] = {{"valid", true}, {"reasons", output::Json::array()}};
    for (const Finding& finding : findings) {
      if (finding.rule->voids & family) entry["valid"] = false;
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
