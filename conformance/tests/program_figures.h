#pragma once
// Figures about the acceptor, from programs played in virtual time in this process.

#include <optional>
#include <string>

#include "conformance/players/virtual_program.h"
#include "conformance/programs/acceptor.h"
#include "conformance/programs/file.h"
#include "conformance/programs/generator.h"

namespace tickmark::programs {

struct Sweep {
  uint64_t programs = 0;
  uint64_t callbacks = 0;
  uint64_t refused = 0;
  uint64_t inconclusive = 0;  ///< refused outside of the strict tier
  Nanos taken{0};
  std::string first_refusal{};  ///< program, trace and sentence
};

/// Draws, plays and judges the programs 0 .. count-1 of a seed.
Sweep sweep(uint64_t seed, uint64_t count, const Shape& shape, const Perturbation& perturbation);

/// Program, trace and sentence, for a reader.
std::string describe(const Program& program, const std::vector<Step>& steps, const Refusal& refusal);

}  // namespace tickmark::programs
