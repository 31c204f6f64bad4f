#pragma once
// A run that did not end, and whether that is its own fault: a process that was never given a CPU proves
// nothing.

#include <string>

#include "harness/base/time.h"

namespace tickmark::conformance {

/// What became of the time until the deadline.
struct Hang {
  Nanos lasted{0};       ///< 0 = nobody measured
  Nanos cpu{0};          ///< used, by all threads
  Nanos waited{0};       ///< ready to run while others did, by all threads
  Nanos lost{0};         ///< the process stood still: stopped, or its machine was
  std::string states{};  ///< what its threads were doing at the end; "" = not known
};

/// For most of the time it was kept from running, and got less than a fifth of what it was kept from: one
/// that spins beside another spinner has half.
bool was_starved(const Hang& hang);

/// "in 5.00 s it used 0.01 s of CPU, was ready for one for 0.00 s and stood still for 0.00 s; main sleeps in
/// epoll_pwait"; "" if nobody measured.
std::string times_text(const Hang& hang);

}  // namespace tickmark::conformance
