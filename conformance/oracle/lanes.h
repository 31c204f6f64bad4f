#pragma once
// Several player processes at once.

#include <functional>
#include <vector>

#include "harness/base/error.h"

namespace tickmark::conformance {

/// Runs the tasks in their order, `lanes` of them at a time, each told the number of its lane, from 0. After
/// the first error none is begun, and it is returned. One lane is the caller's own thread.
Expected<void> run_in_lanes(unsigned lanes,
                            const std::vector<std::function<Expected<void>(unsigned lane)>>& tasks);

}  // namespace tickmark::conformance
