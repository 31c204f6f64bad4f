#pragma once
// The timed tier: what holds on a machine that does not stall. Never a failure; a run that breaks it is
// inconclusive, and many of them are a reason to look.

#include "conformance/programs/run.h"

namespace tickmark::programs {

/// Deadlines further apart than this fire in their order.
inline constexpr int64_t kApartUs = 6000;

/// Whether timeouts whose deadlines, measured in the run, are clearly apart came in the order of their
/// deadlines. True if the run carries no times.
bool is_as_on_an_idle_machine(const Program& program, const Run& run);

}  // namespace tickmark::programs
