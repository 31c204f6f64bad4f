#pragma once
// Random programs on a subject: draws them, has them played, judges every run, and makes the first refusal of
// each rule small.

#include <map>

#include "conformance/programs/file.h"
#include "conformance/programs/generator.h"
#include "conformance/programs/shrink.h"
#include "conformance/programs/timed_tier.h"

namespace tickmark::programs {

/// Who plays. `play` returns the runs in any order; one of a program that crashed the player is missing.
struct Subject {
  std::string id;
  Profile profile;
  std::function<Expected<std::vector<Run>>(const ProgramFile&)> play;
};

struct Plan {
  uint64_t seed = 1;
  uint64_t first = 0;  ///< index of the first program
  uint64_t programs = 1000;
  Shape shape;
  unsigned chunk = 500;         ///< programs a process
  unsigned shrink_tries = 5;    ///< runs of each smaller program
  unsigned confirmations = 50;  ///< runs of the smallest
  size_t findings_most = 3;     ///< made small; the others are counted
  std::function<void(uint64_t done)> progress{};
};

struct Campaign {
  uint64_t programs = 0;
  uint64_t callbacks = 0;
  uint64_t refused = 0;
  uint64_t missing = 0;                     ///< of these no run was written: the player crashed or hung
  std::optional<uint64_t> first_missing{};  ///< the index of the first
  /// Accepted, but not as a machine without stalls would do it; or refused outside of the strict tier.
  uint64_t inconclusive = 0;
  std::map<RuleId, uint64_t> by_rule{};
  std::vector<Finding> findings{};  ///< one for each rule, small
  std::vector<Finding> original{};  ///< the same, as drawn
};

Expected<Campaign> run_campaign(const Plan& plan, const Subject& subject);

/// The programs of a plan, from..to, with their durations by slot.
ProgramFile draw(const Plan& plan, uint64_t from, uint64_t to);

/// Plays programs on a subject and judges them. Their durations become those of their slots.
Judges judges_of(const Subject& subject, const Shape& shape);

}  // namespace tickmark::programs
