#pragma once
// What the threads of this process are doing, as /proc tells: for the last words of a player that hangs.

#include <string>
#include <sys/types.h>

#include "harness/base/time.h"

namespace tickmark::conformance {

/// "main: sleeps in epoll_pwait; 2 threads: sleep in futex"; without the thread `except`.
std::string thread_states(pid_t except);

/// How long the living threads of this process have been ready to run while others did: schedstat, in total.
Nanos waited_for_cpu();
/// The same of another process and all below it; 0 of one that is gone.
Nanos waited_for_cpu_below(pid_t root);

}  // namespace tickmark::conformance
