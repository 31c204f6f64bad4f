#pragma once
// A file of random programs on the reference loop: what `play` does with one.

#include "harness/subject/play.h"
#include "reference-loop/loop.h"

namespace tickmark::programs {

/// Exit code of `<subject> play`. With `time=virtual` among the options in a simulation, in which every
/// program has a schedule of its own that follows from `seed` and its id: it is the same whatever was played
/// before it.
int play_programs(const subject::PlayRequest& request, refloop::BackendKind backend);

}  // namespace tickmark::programs
