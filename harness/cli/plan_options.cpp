#include "harness/cli/plan_options.h"

#include <fmt/format.h>
#include <random>

#include "harness/cli/units.h"

namespace tickmark::cli {
namespace {

// Short enough to be typed again.
constexpr uint64_t kSeedMax = 100'000;

}  // namespace

void add_plan_options(CLI::App& verb, PlanOptions& options, const std::string& suite) {
  verb.add_option("--connections", options.connections, fmt::format("instead of {}", suite))
      ->check(CLI::Range(1, 1'000'000));
  verb.add_option("--rate", options.rate, fmt::format("requests per second, instead of {}", suite));
  verb.add_option("--duration", options.duration, "of each measured window, as 600ms");
  verb.add_option("--seed", options.seed, "of order and arrivals; default: drawn and recorded");
}

Expected<run::Overrides> overrides_of(const PlanOptions& options) {
  run::Overrides overrides;
  if (options.connections > 0) overrides.connections = options.connections;
  if (!options.rate.empty()) {
    auto rate = parse_rate("--rate", options.rate);
    if (!rate) return std::unexpected(rate.error());
    overrides.rate_per_s = *rate;
  }
  if (!options.duration.empty()) {
    auto duration = parse_duration("--duration", options.duration);
    if (!duration) return std::unexpected(duration.error());
    overrides.duration = *duration;
  }
  return overrides;
}

uint64_t seed_of(const PlanOptions& options) {
  return options.seed != 0 ? options.seed : std::random_device{}() % kSeedMax + 1;
}

std::string repeatable(const std::string& command, const PlanOptions& options, uint64_t seed) {
  return options.seed != 0 ? command : fmt::format("{} --seed {}", command, seed);
}

}  // namespace tickmark::cli
