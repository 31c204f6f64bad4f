#include "harness/output/comparison.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "harness/output/analysis.h"
#include "harness/output/valid_value.h"

namespace tickmark::output {
namespace {

const Json* trial_of(const std::vector<Json>& records, const std::string& cell, const std::string& subject) {
  const auto found = std::ranges::find_if(records, [&](const Json& record) {
    return text_at(record, "cell") == cell && text_at(record, "subject") == subject;
  });
  return found == records.end() ? nullptr : &*found;
}

/// A positive value, or nothing and the reason in `answer`.
std::optional<double> value_of(const std::vector<Json>& records, const GatedMetric& metric,
                               const std::string& subject, BlockAnswer& answer) {
  const Json* trial = trial_of(records, metric.cell, subject);
  if (trial) {
    const auto value = valid_value(*trial, metric.key, metric.family);
    if (value && *value > 0) return *value;
  }
  std::string why = trial ? why_no_value(*trial, metric.key, metric.family) : "was not run";
  if (why.empty()) why = "could not be measured";
  const bool limit = trial && counts(*trial) && at_clients_limit(*trial, metric.family);
  if (answer.void_reason.empty() || (limit && !answer.out_of_reach))
    answer.void_reason = fmt::format("{}: {}", subject, why);
  answer.out_of_reach |= limit;
  return std::nullopt;
}

struct Covariate {
  const char *metric, *key;
  stats::SlopeRange slopes;
};
constexpr Covariate kCovariates[] = {
    {"cpu_ns_per_request", "run_queue_wait_ns_per_request", stats::kCpuByRunQueueWait}};

void add_covariate(GatedMetric& metric) {
  for (const Covariate& covariate : kCovariates) {
    if (metric.key != covariate.metric) continue;
    metric.covariate = covariate.key;
    metric.slopes = covariate.slopes;
  }
}

/// ln(candidate / baseline) of the covariate; nothing where an arm has none.
std::optional<double> covariate_of(const std::vector<Json>& records, const GatedMetric& metric,
                                   const std::string& baseline, const std::string& candidate) {
  const auto value = [&](const std::string& subject) {
    const Json* trial = trial_of(records, metric.cell, subject);
    return trial ? number_at(member(*trial, "metrics"), metric.covariate).value_or(0) : 0;
  };
  if (metric.covariate.empty()) return std::nullopt;
  const double a = value(baseline), b = value(candidate);
  if (a <= 0 || b <= 0) return std::nullopt;
  return std::log(b / a);
}

}  // namespace

Json covariates_json() {
  Json list = Json::array();
  for (const Covariate& covariate : kCovariates) {
    list.push_back({{"metric", covariate.metric},
                    {"covariate", covariate.key},
                    {"slope_min", covariate.slopes.least},
                    {"slope_max", covariate.slopes.most}});
  }
  return list;
}

std::string title_of(const std::string& wanted) {
  static const std::pair<const char*, const char*> titles[] = {
      {"cpu_ns_per_request", "CPU per request"},
      {"memory_bytes_per_connection", "memory per connection"},
      {"memory_bytes", "memory"},
      {"throughput_per_s", "throughput"},
      {"latency_ns_mean", "mean latency"},
      {"latency_ns_p50", "latency p50"},
      {"latency_ns_p90", "latency p90"},
      {"latency_ns_p99", "latency p99"},
      {"context_switches_per_request", "context switches per request"},
      {"run_queue_wait_ns_per_request", "run-queue wait"},
  };
  for (const auto& [key, title] : titles) {
    if (wanted == key) return title;
  }
  return wanted;
}

Expected<std::vector<GatedMetric>> gated_metrics(const Json& plan) {
  std::vector<GatedMetric> family;
  for (const Json& cell : list_at(plan, "cells")) {
    for (const auto& [key, margin] : member(cell, "gate").items()) {
      const auto known =
          std::ranges::find_if(compared_metrics(), [&](const auto& m) { return m.key == key; });
      if (known == compared_metrics().end() || !margin.is_number()) {
        return usage_error(
            fmt::format("cell {} gates '{}', which is no metric that is compared; correct the suite",
                        text_at(cell, "id"), key));
      }
      family.push_back({text_at(cell, "id"), key, known->unit, known->family, known->higher_is_better,
                        margin.get<double>()});
      add_covariate(family.back());
    }
  }
  return family;
}

void Voids::add(const BlockAnswer& answer) {
  if (blocks++ == 0 || (answer.out_of_reach && !out_of_reach)) reason = answer.void_reason;
  out_of_reach |= answer.out_of_reach;
}

double log_ratio(const ArmValues& values, const GatedMetric& metric) {
  const double d = std::log(values.candidate / values.baseline);
  return metric.higher_is_better ? -d : d;
}

std::vector<BlockAnswer> block_answers(const std::vector<Json>& records,
                                       const std::vector<GatedMetric>& family, const std::string& baseline,
                                       const std::string& candidate) {
  std::vector<BlockAnswer> block;
  for (const GatedMetric& metric : family) {
    BlockAnswer& answer = block.emplace_back();
    const auto a = value_of(records, metric, baseline, answer);
    const auto b = value_of(records, metric, candidate, answer);
    if (!a || !b) continue;
    answer.values = {*a, *b};
    answer.covariate = covariate_of(records, metric, baseline, candidate);
  }
  return block;
}

stats::GateRules gate_rules(const std::vector<GatedMetric>& family, stats::GateRules rules) {
  for (const GatedMetric& metric : family) {
    rules.family.push_back({title_of(metric.key), std::max(metric.margin, rules.floor), metric.slopes});
  }
  return stats::Gate(rules).rules();
}

int exit_code_of(stats::Verdict verdict) {
  switch (verdict) {
    case stats::Verdict::kOk:
      return 0;
    case stats::Verdict::kRegression:
      return 1;
    case stats::Verdict::kInconclusive:
      return 4;
  }
  return 4;
}

Answer answer_to(const Comparison& comparison, size_t question) {
  Answer answer;
  for (const stats::Look& look : comparison.result.looks) {
    for (const stats::MetricLook& metric : look.metrics) {
      if (metric.metric != question) continue;
      (look.stage == 0 ? answer.seen : answer.again) = &metric;
      (look.stage == 0 ? answer.blocks : answer.blocks_again) = metric.blocks;
    }
  }
  for (const stats::GivenUp& given_up : comparison.result.given_up) {
    if (given_up.metric == question) answer.given_up = &given_up;
  }
  const auto& confirmed = comparison.result.confirmed;
  if (std::ranges::find(confirmed, question) != confirmed.end()) {
    answer.verdict = stats::Verdict::kRegression;
  } else if (answer.seen && answer.seen->verdict == stats::Verdict::kOk) {
    answer.verdict = stats::Verdict::kOk;
  }
  return answer;
}

}  // namespace tickmark::output
