#pragma once
// Draws random programs. The same seed, index and shape give the same program on every machine, for ever:
// what is drawn, and how, is a version of the distribution, and a change of it is a new version.

#include "conformance/programs/program.h"

namespace tickmark::programs {

/// 1: the first.
inline constexpr unsigned kDistribution = 1;

/// What a program may be made of.
struct Shape {
  unsigned actions_min = 5;
  unsigned actions_max = 40;
  /// Programs that share a process and a time have durations of their own, so that none stands in a list of
  /// another's timeouts: slot s of n uses 1 + s + rank * n milliseconds, rank 0 .. 3.
  unsigned slots = 3;
  /// How many of a thousand programs have callbacks that throw.
  unsigned throwing_permille = 0;
  bool closes = true;
  /// Whether programs that throw may close handles, too.
  bool throwing_closes = true;
  bool blocks = true;
  bool unrefs = true;
};

/// The program number `index` of a seed; its id is `index`. `slot` < shape.slots.
Program generate(uint64_t seed, uint64_t index, const Shape& shape = {}, unsigned slot = 0);

/// The same program with the durations of another slot.
Program in_slot(const Program& program, const Shape& shape, unsigned slot);

/// Milliseconds of a rank in a slot.
uint16_t duration_ms(const Shape& shape, unsigned slot, unsigned rank);

}  // namespace tickmark::programs
