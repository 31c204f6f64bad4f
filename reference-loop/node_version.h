// Which Node's order the Node layer keeps.
//
// Node's queues are written in JavaScript (lib/internal/timers.js, process/task_queues.js,
// process/promises.js) and run from C++ (src/env.cc, src/api/callback.cc). Read in the sources that the
// binaries of 20.20, 22.23, 24.21 and 26.10 carry, and observed with small programs run on all four, three
// times each. They differ in order in three places only:
//
//   what                                                   | 20      | 22, 24  | 26
//   -------------------------------------------------------+---------+---------+---------
//   ticks left over by an error run before the immediates  | yes     | yes     | no: after the first of them
//   a module's main runs                                   | in poll | at once | at once
//   a module's error becomes an 'uncaughtException' after  | 3 jobs  | 4 jobs  | 4 jobs
//
// The first: up to 24 the check phase opens a callback scope for the process's own immediates, and closing
// it drains; 26 opens it only when it has some (so 26 itself keeps the old order once in a while). The
// second: 20 reads the file through the pool, so that an immediate of a module precedes a timeout that is
// already overdue; from 22 on it is loaded synchronously and the timeout is first, as in a script.
#pragma once

#include <cstdint>

namespace refloop {

enum class NodeVersion : std::uint8_t { node20, node22, node24, node26 };

constexpr bool drains_before_immediates(NodeVersion version) { return version < NodeVersion::node26; }
constexpr bool loads_modules_in_poll(NodeVersion version) { return version == NodeVersion::node20; }
constexpr int module_error_jobs(NodeVersion version) { return version == NodeVersion::node20 ? 3 : 4; }

}  // namespace refloop
