#pragma once
// Plays conformance scenarios on libuv: the loop layer only. What libuv has not (ticks, microtasks,
// immediates) is reported unsupported.

#include "harness/subject/play.h"

namespace tickmark::conformance::libuv {

/// Exit code of `<subject> play`. The size of the pool comes from the scenario file.
int play(const subject::PlayRequest& request);

}  // namespace tickmark::conformance::libuv
