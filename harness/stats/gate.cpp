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

double shifted_p(const std::vector<double>& values, double sign, double by) {
  std::vector<double> shifted;
  for (const double v : values) shifted.push_back(sign * v + by);
  return signed_rank_p(shifted);
}

MetricLook measure(const GateRules& rules, size_t metric, const std::vector<double>& column, size_t asked) {
  const double margin = std::log1p(rules.family[metric].margin);
  MetricLook seen;
  seen.metric = metric;
  seen.log_ratio = hodges_lehmann(column, rules.confidence);
  seen.spread = kNormalMad * median_absolute_deviation(column);
  seen.p_slower = shifted_p(column, 1, -std::log1p(rules.floor));
  seen.p_margin = shifted_p(column, -1, margin);
  seen.p_speedup = shifted_p(column, 1, margin);
  seen.detectable = detectable_slowdown(rules, rules.family[metric].margin, seen.spread, asked);
  return seen;
}

void adjust(std::vector<MetricLook>& metrics) {
  std::vector<double> raw;
  for (const MetricLook& metric : metrics) raw.push_back(metric.p_slower);
  const std::vector<double> adjusted = holm_adjusted(raw);
  for (size_t i = 0; i < metrics.size(); ++i) metrics[i].p_slower_adjusted = adjusted[i];
}

Verdict verdict_of(const MetricLook& seen, double margin, double level) {
  if (seen.p_slower_adjusted <= level && seen.log_ratio.value > std::log1p(margin))
    return Verdict::kRegression;
  return seen.p_margin <= level ? Verdict::kOk : Verdict::kInconclusive;
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

Look judge_look(const GateRules& rules, std::span<const size_t> asked,
                std::span<const std::vector<double>> columns, size_t look) {
  Look judged;
  judged.blocks = rules.looks[look];
  judged.level = rules.levels[look];
  for (const size_t metric : asked) {
    assert(columns[metric].size() == static_cast<size_t>(judged.blocks));
    judged.metrics.push_back(measure(rules, metric, columns[metric], asked.size()));
  }
  adjust(judged.metrics);
  for (MetricLook& seen : judged.metrics) {
    seen.verdict = verdict_of(seen, rules.family[seen.metric].margin, judged.level);
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
}

Gate::Next Gate::add(std::span<const double> log_ratios) {
  assert(!ended_ && log_ratios.size() == columns_.size());
  for (size_t m = 0; m < columns_.size(); ++m) columns_[m].push_back(log_ratios[m]);
  if (++result_.blocks[stage_] < rules_.looks[look_]) return Next::kBlock;
  Look look = judge_look(rules_, asked_, columns_, look_++);
  look.stage = stage_;
  result_.looks.push_back(look);
  return settle(look);
}

Gate::Next Gate::add_void() {
  assert(!ended_);
  if (++result_.void_blocks[stage_] <= rules_.void_blocks_max()) return Next::kBlock;
  return finish(Verdict::kInconclusive, fmt::format("{} blocks were void, and the plan replaces {} at most",
                                                    result_.void_blocks[stage_], rules_.void_blocks_max()));
}

void Gate::end(Verdict verdict, std::string reason) { finish(verdict, std::move(reason)); }

Gate::Next Gate::settle(const Look& look) {
  const bool last = look_ == rules_.looks.size();
  if (look.verdict == Verdict::kInconclusive && !last) return Next::kBlock;
  if (look.verdict != Verdict::kRegression) {
    if (stage_ == 0) return finish(look.verdict);
    return finish(Verdict::kInconclusive, "a regression was seen once, and not again in new blocks");
  }
  if (stage_ == 1 || !rules_.confirm) {
    result_.confirmed = regressions(look);
    return finish(Verdict::kRegression);
  }
  asked_ = regressions(look);
  for (auto& column : columns_) column.clear();
  look_ = 0;
  stage_ = 1;
  return Next::kConfirmation;
}

Gate::Next Gate::finish(Verdict verdict, std::string reason) {
  ended_ = true;
  result_.verdict = verdict;
  result_.reason = std::move(reason);
  return Next::kEnd;
}

}  // namespace tickmark::stats
