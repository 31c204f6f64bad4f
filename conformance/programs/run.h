#pragma once
// What a player saw of a program: the order in which its callbacks began.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/programs/program.h"

namespace tickmark::programs {

enum class StepKind : uint8_t {
  callback,
  inside,     ///< a callback that began while another was on the stack
  uncaught,   ///< 'uncaughtException' for what the callback `label` threw
  unhandled,  ///< 'unhandledRejection' for the same
};

struct Step {
  Label label = 0;
  StepKind kind = StepKind::callback;

  auto operator<=>(const Step&) const = default;
};

struct Run {
  uint64_t program = 0;  ///< its id
  std::vector<Step> steps;
  /// When each began, microseconds from an origin of the player's; empty if it does not say.
  std::vector<int64_t> times_us{};
};

/// "timeout3"; with a remark unless it is a callback like others.
std::string name_of(const Program& program, Step step);

}  // namespace tickmark::programs
