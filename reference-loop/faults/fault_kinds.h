// The kinds of faults the registry is made of. For its two sources alone: short names, some of them macros.
#pragma once

#include "reference-loop/faults/registry.h"

namespace refloop::faults {

inline constexpr auto kAny = Target::anything;
inline constexpr Fault kShort{"short", Manner::is_short, 0, Expect::unnoticed};

// The kernel had no time, room or bytes for it: the loop asks again, nobody hears of it.
#define AGAIN(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, Expect::unnoticed }
// The one who asked hears of it, by this very error.
#define TOLD(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, Expect::reported }
#define TOLD_OR_HARMLESS(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, Expect::reported_or_harmless }
// Took effect, says otherwise.
#define LATE(errno_name) \
  Fault { #errno_name, Manner::fails_late, errno_name, Expect::unnoticed }
// Pauses the listener for 50 ms: one scenario is enough.
#define PAUSES(errno_name) \
  Fault { #errno_name, Manner::fails, errno_name, Expect::unnoticed, "many_connects" }

}  // namespace refloop::faults
