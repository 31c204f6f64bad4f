#pragma once
// The loop's own trace as docs/traces.md has it: millions of records in memory, written as the few hundred
// bytes per turn that the generic rules need.

#include <cstdint>
#include <filesystem>

#include "harness/base/error.h"
#include "reference-loop/trace.h"

namespace tickmark::conformance {

/// A begin directly followed by its end becomes one `call`; consecutive calls of the workload's sockets in
/// one phase become one `calls` with a count. Everything else is kept as it is, in order.
Expected<void> write_background_trace(const refloop::Trace& trace, const std::filesystem::path& path,
                                      unsigned pool, uint64_t seed);

}  // namespace tickmark::conformance
