#pragma once
// The options by which a user changes what a suite plans: `run` and `compare` have them in common.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "harness/run/plan.h"

namespace tickmark::cli {

struct PlanOptions {
  std::string rate, duration;  ///< as typed; empty: the suite's
  int connections = 0;         ///< 0: the suite's
  uint64_t seed = 0;           ///< 0: drawn
};

/// Adds --connections, --rate, --duration and --seed. `suite`: what the help calls it, as "the gate's".
/// `options` is borrowed as long as the verb.
void add_plan_options(CLI::App& verb, PlanOptions& options, const std::string& suite);

/// Usage error for a rate or a duration that is none.
Expected<run::Overrides> overrides_of(const PlanOptions& options);

/// The seed of this run: the one asked for, or one drawn, of at most six digits.
uint64_t seed_of(const PlanOptions& options);

/// `command` with the seed that was drawn, so that it repeats the run.
std::string repeatable(const std::string& command, const PlanOptions& options, uint64_t seed);

}  // namespace tickmark::cli
