#pragma once
// A slowdown put into our own subjects on purpose, to see what the regression gates see: for each request
// busy work, in proportion to what requests cost or so many instructions. Only for that; without the option
// nothing of it is there.

#include <cstdint>
#include <string_view>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark::subject {

/// One of the two; both 0: none.
struct Slowdown {
  double share = 0;           ///< of the CPU time that requests cost, 0 to 1
  uint64_t instructions = 0;  ///< per request, an even number of them, counted and not timed
};

/// `5%` or `5`: a share of at most 100 %, as 0.05; `300i`: instructions, at most kInstructionsMax. Usage
/// error otherwise.
Expected<Slowdown> parse_slowdown(std::string_view text);
inline constexpr uint64_t kInstructionsMax = 1'000'000'000;

/// The service, slowed down at every request. By a share: its thread uses so much more CPU than it would
/// have; the thread's own clock is read every few requests, and what is owed since is spun away. Shared by
/// all connections, so that none of them costs more memory. Work that is offloaded to other threads is not
/// slowed down.
Service slowed_down(Service service, const Slowdown& slowdown);

}  // namespace tickmark::subject
