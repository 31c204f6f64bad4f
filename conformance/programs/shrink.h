#pragma once
// Makes a refused program as small as it gets while it is still refused, by the same rule.

#include <functional>
#include <optional>
#include <vector>

#include "conformance/programs/acceptor.h"
#include "conformance/programs/generator.h"

namespace tickmark::programs {

/// A program and what was wrong with a run of it.
struct Finding {
  Program program;
  Run run;
  Refusal refusal;
  // How often it was refused when it was played again.
  unsigned played_again = 0;
  unsigned refused_again = 0;
};

/// Plays and judges: for each program what was wrong, if anything was. One call is one process of a real
/// runtime.
using Judges = std::function<Expected<std::vector<std::optional<Finding>>>(const std::vector<Program>&)>;

/// Programs with one thing less each, the boldest first: without an action and its body; with the body in the
/// place of the action; with one repetition less; with the shortest time.
std::vector<Program> reductions(const Program& program, const Shape& shape);

/// Reduces until nothing smaller is refused, or for `rounds_most`. Each candidate is played `tries` times.
Expected<Finding> shrink(const Finding& finding, const Shape& shape, const Judges& judges, unsigned tries,
                         unsigned rounds_most = 60);

}  // namespace tickmark::programs
