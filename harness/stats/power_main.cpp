// What scripts/prove power runs: the whole gate on made-up comparisons, one JSON line per machine and
// slowdown.
//
//   gate_power COMPARISONS

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/stats/simulated_blocks.h"

namespace tickmark::stats {
namespace {

constexpr uint64_t kSeed = 9'000'000;
constexpr double kSlowdowns[] = {0, 0.02, 0.05, 0.10, 0.20};

struct Machine {
  const char* name;
  BlockNoise noise;
};

/// Log-ratios' spread, as a user of the gate would see it.
double spread_of(const BlockNoise& noise) {
  SimulatedBlocks blocks({{noise, 0}}, kSeed);
  std::vector<double> ratios;
  for (int i = 0; i < 20'000; ++i) ratios.push_back(*blocks.next().front().log_ratio);
  return 1.4826 * median_absolute_deviation(ratios);
}

void print_row(const Machine& machine, double slowdown, const char* gate, const GateRules& rules,
               int comparisons) {
  const std::vector<SimulatedMetric> metrics{{machine.noise, slowdown}, {memory_noise(), 0}};
  const SimulatedRates seen = simulated_rates(rules, metrics, comparisons, kSeed);
  std::vector<double> by_look;
  for (const int alarms : seen.alarms_by_look) by_look.push_back(double(alarms) / seen.comparisons);
  fmt::print(
      R"({{"machine": "{}", "gate": "{}", "spread": {:.4f}, "slowdown": {}, "comparisons": {}, "regressions": {}, )"
      R"("first_stage_alarms": {}, "oks": {}, "covering": {}, "blocks": {:.1f}, )"
      R"("estimate": {:.5f}, "looks": [{}], "first_stage_by_look": [{}]}})"
      "\n",
      machine.name, gate, spread_of(machine.noise), slowdown, seen.comparisons, seen.regressions,
      seen.first_stage_alarms, seen.oks, seen.covering, seen.blocks, seen.estimate,
      fmt::join(rules.looks, ", "), fmt::join(by_look, ", "));
  std::fflush(stdout);
}

/// At the edge of the null hypothesis every alarm is false; the gate's levels must hold them.
GateRules edge_rules() {
  GateRules rules = default_gate_rules();
  rules.family = {{"cpu_ns_per_request", rules.floor}, {"memory_bytes_per_connection", rules.floor}};
  rules.confirm = false;
  return rules;
}

/// What a gate must not be: a look after every block, each at the whole level.
GateRules peeking_rules() {
  GateRules rules = edge_rules();
  rules.looks.clear();
  for (int blocks = 6; blocks <= 30; ++blocks) rules.looks.push_back(blocks);
  rules.levels.assign(rules.looks.size(), rules.alpha);
  return rules;
}

int run(int comparisons) {
  const Machine machines[] = {{"quiet", quiet_machine()},
                              {"usual", usual_machine()},
                              {"busy", busy_machine()},
                              {"contended", contended_machine()}};
  for (const Machine& machine : machines) {
    for (const double slowdown : kSlowdowns)
      print_row(machine, slowdown, "whole", default_gate_rules(), comparisons);
    print_row(machine, edge_rules().floor, "edge", edge_rules(), comparisons);
    print_row(machine, edge_rules().floor, "peeking", peeking_rules(), comparisons / 10);
  }
  return 0;
}

}  // namespace
}  // namespace tickmark::stats

int main(int argc, char** argv) {
  const int comparisons = argc == 2 ? std::atoi(argv[1]) : 0;
  if (comparisons <= 0) {
    fmt::print(stderr, "usage: gate_power COMPARISONS\n");
    return 2;
  }
  return tickmark::stats::run(comparisons);
}
