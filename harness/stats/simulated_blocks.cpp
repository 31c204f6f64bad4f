#include "harness/stats/simulated_blocks.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tickmark::stats {
namespace {

/// Standard normal (Box and Muller 1958).
double gaussian(SplitMix64& random) {
  return std::sqrt(2 * random.exponential()) * std::cos(2 * std::numbers::pi * random.uniform());
}

/// What one slot adds to the logarithm.
double slot_noise(const BlockNoise& noise, bool second, SplitMix64& random) {
  double added = noise.slot * gaussian(random) + noise.skew * random.exponential();
  if (random.uniform() < noise.hit_chance) {
    added += std::log1p(noise.hit_least + (noise.hit_most - noise.hit_least) * random.uniform());
  }
  return added + (second ? noise.second_slot : 0);
}

/// The covariate's log-ratio where the arms are the same.
double wait_noise(const BlockNoise& noise, SplitMix64& random) {
  if (noise.wait_spread == 0) return 0;
  return (random.below(2) == 1 ? 1 : -1) * noise.wait_apart + noise.wait_spread * gaussian(random);
}

double grained(double logarithm, double grain) {
  if (grain == 0) return logarithm;
  return std::log(std::max(1.0, std::round(std::exp(logarithm) / grain)) * grain);
}

BlockNoise machine(double slot, double skew, double hit_chance) {
  BlockNoise noise;
  noise.slot = slot;
  noise.skew = skew;
  noise.hit_chance = hit_chance;
  return noise;
}

void count(SimulatedRates& rates, const GateResult& result, const std::vector<SimulatedMetric>& metrics) {
  const Look* first = nullptr;  // the first stage's last look
  for (const Look& look : result.looks) {
    if (look.stage == 0) first = &look;
  }
  ++rates.comparisons;
  rates.regressions += result.verdict == Verdict::kRegression;
  rates.oks += result.verdict == Verdict::kOk;
  rates.blocks += result.blocks[0] + result.blocks[1];
  rates.estimate += std::expm1(first->metrics.front().log_ratio.value);
  if (first->verdict == Verdict::kRegression) {
    ++rates.first_stage_alarms;
    const auto stages_looks = static_cast<size_t>(std::ranges::count(result.looks, 0, &Look::stage));
    for (size_t look = stages_looks - 1; look < rates.alarms_by_look.size(); ++look) {
      ++rates.alarms_by_look[look];
    }
  }
  const auto& interval = first->metrics.front().log_ratio.interval;
  rates.covering += interval && interval->contains(std::log1p(metrics.front().slowdown));
}

}  // namespace

BlockNoise quiet_machine() { return machine(0.01, 0.003, 0.02); }
BlockNoise usual_machine() { return machine(0.03, 0.01, 0.06); }
BlockNoise busy_machine() { return machine(0.08, 0.02, 0.12); }

BlockNoise contended_machine() {
  BlockNoise noise = machine(0.009, 0.002, 0.01);
  noise.wait_apart = 0.33;
  noise.wait_spread = 0.10;
  noise.wait_slope = -0.145;
  return noise;
}

BlockNoise memory_noise() {
  BlockNoise noise = machine(0.004, 0, 0);
  noise.drift = 0.01;
  noise.second_slot = 0;
  noise.grain = 0.01;
  return noise;
}

SimulatedBlocks::SimulatedBlocks(std::vector<SimulatedMetric> metrics, uint64_t seed)
    : metrics_(std::move(metrics)), moods_(metrics_.size(), 0.0), block_(metrics_.size()), random_(seed) {}

const std::vector<BlockValue>& SimulatedBlocks::next() {
  const bool candidate_second = random_.below(2) == 1;
  for (size_t m = 0; m < metrics_.size(); ++m) {
    const BlockNoise& noise = metrics_[m].noise;
    const double fresh = noise.drift * std::sqrt(1 - noise.drift_memory * noise.drift_memory);
    moods_[m] = noise.drift_memory * moods_[m] + fresh * gaussian(random_);
    const double baseline = moods_[m] + slot_noise(noise, !candidate_second, random_);
    const double candidate =
        moods_[m] + slot_noise(noise, candidate_second, random_) + std::log1p(metrics_[m].slowdown);
    const double wait = wait_noise(noise, random_) + metrics_[m].wait_moved;
    block_[m].log_ratio =
        grained(candidate, noise.grain) - grained(baseline, noise.grain) + noise.wait_slope * wait;
    block_[m].covariate = wait;
  }
  return block_;
}

GateResult simulated_comparison(const GateRules& rules, const std::vector<SimulatedMetric>& metrics,
                                uint64_t seed) {
  Gate gate(rules);
  SimulatedBlocks blocks(metrics, SplitMix64(seed).next());
  while (gate.add(blocks.next()) != Gate::Next::kEnd) continue;
  return gate.result();
}

SimulatedRates simulated_rates(const GateRules& rules, const std::vector<SimulatedMetric>& metrics,
                               int comparisons, uint64_t seed) {
  SimulatedRates rates;
  rates.alarms_by_look.resize(rules.looks.size());
  for (int i = 0; i < comparisons; ++i) {
    count(rates, simulated_comparison(rules, metrics, seed + static_cast<uint64_t>(i)), metrics);
  }
  rates.blocks /= comparisons;
  rates.estimate /= comparisons;
  return rates;
}

double at_most(int n, double rate) { return n * rate + 3.1 * std::sqrt(n * rate * (1 - rate)); }

GateRules default_gate_rules() {
  GateRules rules;
  rules.family = {{"cpu_ns_per_request", 0.03, kCpuByRunQueueWait}, {"memory_bytes_per_connection", 0.03}};
  return rules;
}

}  // namespace tickmark::stats
