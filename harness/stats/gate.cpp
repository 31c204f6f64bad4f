#include "harness/stats/gate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "harness/stats/looks.h"
#include "harness/stats/signed_rank.h"

namespace tickmark::stats {
namespace {

constexpr double kPower = 0.8;
constexpr double kNormalMad = 1.4826;  // median absolute deviation -> standard deviation

using Column = std::vector<BlockDifference>;

/// That sign x (difference - null) is not positive on the whole.
double p_beyond(const Column& column, const SlopeRange& slopes, double sign, double null) {
  std::vector<double> left = without_covariate(column, null, slopes);
  for (double& value : left) value = sign * (value - null);
  return signed_rank_p(left);
}

double spread_of(const Column& column, double at, const SlopeRange& slopes) {
  return kNormalMad * median_absolute_deviation(without_covariate(column, at, slopes));
}

MetricLook measure(const GateRules& rules, size_t metric, const Column& column, size_t asked) {
  const double margin = std::log1p(rules.family[metric].margin);
  const SlopeRange& slopes = rules.family[metric].slopes;
  MetricLook seen;
  seen.metric = metric;
  seen.blocks = static_cast<int>(column.size());
  seen.log_ratio = adjusted_estimate(column, slopes, rules.confidence);
  seen.plain = slopes.used() ? adjusted_estimate(column, SlopeRange{}, rules.confidence) : seen.log_ratio;
  seen.slope = slopes.used() ? covariate_slope(column, seen.log_ratio.value, slopes) : 0;
  seen.spread = spread_of(column, seen.log_ratio.value, slopes);
  seen.plain_spread = slopes.used() ? spread_of(column, 0, SlopeRange{}) : seen.spread;
  seen.p_slower = p_beyond(column, slopes, 1, std::log1p(rules.floor));
  seen.p_margin = p_beyond(column, slopes, -1, margin);
  seen.p_speedup = p_beyond(column, slopes, 1, -margin);
  seen.detectable = detectable_slowdown(rules, rules.family[metric].margin, seen.spread, asked);
  return seen;
}

void adjust(std::vector<MetricLook>& metrics) {
  std::vector<double> raw;
  for (const MetricLook& metric : metrics) raw.push_back(metric.p_slower);
  const std::vector<double> adjusted = holm_adjusted(raw);
  for (size_t i = 0; i < metrics.size(); ++i) metrics[i].p_slower_adjusted = adjusted[i];
}

Verdict verdict_of(const MetricLook& seen, double floor, double margin, double level) {
  if (seen.p_slower_adjusted <= level && seen.log_ratio.value > std::log1p(margin) &&
      seen.plain.value > std::log1p(floor))
    return Verdict::kRegression;
  const bool refuted = seen.p_margin <= level && seen.plain.value < std::log1p(margin);
  return refuted ? Verdict::kOk : Verdict::kInconclusive;
}

/// One regression is a regression; all must be OK to be OK.
Verdict worst(const std::vector<MetricLook>& metrics) {
  const auto any = [&](Verdict verdict) {
    return std::ranges::find(metrics, verdict, &MetricLook::verdict) != metrics.end();
  };
  if (any(Verdict::kRegression)) return Verdict::kRegression;
  return any(Verdict::kInconclusive) ? Verdict::kInconclusive : Verdict::kOk;
}

std::vector<size_t> regressions(const Look& look) {
  std::vector<size_t> found;
  for (const MetricLook& metric : look.metrics) {
    if (metric.verdict == Verdict::kRegression) found.push_back(metric.metric);
  }
  return found;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRegression:
      return "REGRESSION";
    case Verdict::kOk:
      return "OK";
    case Verdict::kInconclusive:
      return "INCONCLUSIVE";
  }
  return "";
}

int GateRules::void_blocks_max() const { return static_cast<int>(std::floor(looks.back() * void_share)); }

double detectable_slowdown(const GateRules& rules, double margin, double spread, size_t asked) {
  const double level = rules.levels.back() / static_cast<double>(asked);
  const double stages = rules.confirm ? 2 : 1;
  const double z_power = normal_quantile(std::pow(kPower, 1 / stages));
  const double error = spread / std::sqrt(rules.looks.back());
  const double shown = std::log1p(rules.floor) + (normal_quantile(1 - level) + z_power) * error;
  const double matters = std::log1p(margin) + z_power * error;
  return std::expm1(std::max(shown, matters));
}

Look judge_look(const GateRules& rules, std::span<const size_t> asked, std::span<const Column> columns,
                size_t look) {
  Look judged;
  judged.blocks = rules.looks[look];
  judged.level = rules.levels[look];
  for (const size_t metric : asked) {
    assert(columns[metric].size() >= static_cast<size_t>(judged.blocks));
    judged.metrics.push_back(measure(rules, metric, columns[metric], asked.size()));
  }
  adjust(judged.metrics);
  for (MetricLook& seen : judged.metrics) {
    seen.verdict = verdict_of(seen, rules.floor, rules.family[seen.metric].margin, judged.level);
  }
  judged.verdict = worst(judged.metrics);
  return judged;
}

Gate::Gate(GateRules rules) : rules_(std::move(rules)) {
  if (rules_.levels.empty()) rules_.levels = look_levels(rules_.looks, rules_.alpha);
  assert(!rules_.family.empty() && rules_.levels.size() == rules_.looks.size());
  assert(std::ranges::all_of(rules_.family, [&](const auto& m) { return m.margin >= rules_.floor; }));
  asked_.resize(rules_.family.size());
  std::iota(asked_.begin(), asked_.end(), size_t{0});
  columns_.resize(rules_.family.size());
  voids_.resize(rules_.family.size());
  unreached_.resize(rules_.family.size());
}

Gate::Next Gate::add(std::span<const double> log_ratios) {
  std::vector<BlockValue> block;
  for (const double value : log_ratios) block.push_back({value});
  return add(block);
}

Gate::Next Gate::add(std::span<const BlockValue> block) {
  assert(!ended_ && block.size() == columns_.size());
  bool valid = false, void_somewhere = false;
  for (const size_t metric : asked_) {
    const BlockValue& value = block[metric];
    if (value.log_ratio) {
      columns_[metric].push_back({*value.log_ratio, value.covariate});
      valid = true;
    } else {
      ++voids_[metric];
      unreached_[metric] += value.out_of_reach ? 1 : 0;
      void_somewhere = true;
    }
  }
  result_.blocks[stage_] += valid ? 1 : 0;
  result_.void_blocks[stage_] += void_somewhere ? 1 : 0;
  give_up_void_ones();
  if (asked_.empty()) {
    return finish(
        Verdict::kInconclusive,
        fmt::format("{} void in more blocks than the plan makes good ({})",
                    stage_ == 0 ? "every metric was" : "a regression was seen once, and then it was",
                    rules_.void_blocks_max()));
  }
  const auto due = static_cast<size_t>(rules_.looks[look_]);
  if (std::ranges::any_of(asked_, [&](size_t metric) { return columns_[metric].size() < due; }))
    return Next::kBlock;
  Look look = judge_look(rules_, asked_, columns_, look_++);
  look.stage = stage_;
  result_.looks.push_back(look);
  return settle(look);
}

void Gate::give_up_void_ones() {
  std::erase_if(asked_, [&](size_t metric) {
    if (voids_[metric] <= rules_.void_blocks_max()) return false;
    result_.given_up.push_back({metric, stage_, voids_[metric], 2 * unreached_[metric] >= voids_[metric]});
    return true;
  });
}

int Gate::expected_blocks() const {
  int most = 0;
  for (const size_t metric : asked_) most = std::max(most, voids_[metric]);
  return rules_.looks.back() + most;
}

void Gate::end(Verdict verdict, std::string reason) { finish(verdict, std::move(reason)); }

Gate::Next Gate::settle(const Look& look) {
  const bool last = look_ == rules_.looks.size();
  if (look.verdict == Verdict::kInconclusive && !last) return Next::kBlock;
  if (look.verdict != Verdict::kRegression) {
    if (stage_ == 0) return finish_first_stage(look.verdict);
    return finish(Verdict::kInconclusive, "a regression was seen once, and not again in new blocks");
  }
  if (stage_ == 1 || !rules_.confirm) {
    result_.confirmed = regressions(look);
    return finish(Verdict::kRegression);
  }
  asked_ = regressions(look);
  for (auto& column : columns_) column.clear();
  voids_.assign(voids_.size(), 0);
  unreached_.assign(unreached_.size(), 0);
  look_ = 0;
  stage_ = 1;
  return Next::kConfirmation;
}

Gate::Next Gate::finish_first_stage(Verdict verdict) {
  const auto lost = std::ranges::find(result_.given_up, false, &GivenUp::out_of_reach);
  if (verdict != Verdict::kOk || lost == result_.given_up.end()) return finish(verdict);
  return finish(Verdict::kInconclusive,
                fmt::format("{} was void in {} blocks, and the plan makes {} good",
                            rules_.family[lost->metric].name, lost->void_blocks, rules_.void_blocks_max()));
}

Gate::Next Gate::finish(Verdict verdict, std::string reason) {
  ended_ = true;
  result_.verdict = verdict;
  result_.reason = std::move(reason);
  return Next::kEnd;
}

}  // namespace tickmark::stats
