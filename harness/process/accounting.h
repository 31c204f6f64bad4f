#pragma once
// What a process tree has used: CPU to the nanosecond, waiting for a CPU, context switches, memory.
// Sums over the root and all its descendants (by parent pid, at the time of the sample).

#include <cstdint>
#include <sys/types.h>
#include <vector>

#include "harness/base/time.h"

namespace tickmark::process {

/// How much to read. Each level contains the ones before it.
enum class UsageDetail {
  kCpu,      ///< cpu_time, processes, threads, minor_faults: one /proc scan; independent of thread count
  kThreads,  ///< + run_queue_wait, context_switches: one small file per thread
  kMemory,   ///< + pss_bytes and the like: walks the page tables, so not at the edges of a window
};

/// Counters since each process began (not since the sample before): subtract two samples.
struct TreeUsage {
  Nanos at{0};                    ///< now() when cpu_time was read
  Nanos cpu_time{0};              ///< exact for living processes (their CPU clock, exited threads included);
                                  ///< exited and waited-for children count in clock ticks (10 ms)
  Nanos run_queue_wait{0};        ///< runnable but not running; living threads (schedstat field 2)
  uint64_t context_switches = 0;  ///< times a living thread was put on a CPU (schedstat field 3)
  uint64_t minor_faults = 0;
  int processes = 0, threads = 0;         ///< gauges
  uint64_t pss_bytes = 0, rss_bytes = 0;  ///< gauges; Pss shares a shared page among its users
  /// Gauge: Pss of what no file backs (Pss_Anon + Pss_Shmem; the whole Pss before Linux 5.9). Only this can
  /// be compared over time: the share of a library's pages changes when somebody else maps or touches them.
  uint64_t pss_unbacked_bytes = 0;
};

/// Sum over `root` and its descendants. A process that ends meanwhile counts with what was still
/// readable. All zero, with processes == 0, if there is no such process.
TreeUsage sample_tree(pid_t root, UsageDetail detail);

/// CPU time of exactly these processes (not their children), from their CPU clocks: one system call each,
/// about 0.2 ms for one with 5,000 threads. For the very edges of a window, with pids from process_tree();
/// a process that is gone counts 0.
Nanos cpu_time_of(const std::vector<pid_t>& pids);

/// What was used between two samples of the same tree. Gauges are those of `end`. Counters never go below
/// 0 (threads that ended in between take their waits and switches with them).
TreeUsage operator-(const TreeUsage& end, const TreeUsage& begin);

/// `root` and its living descendants, parents before children; empty if `root` does not exist.
std::vector<pid_t> process_tree(pid_t root);

/// CPU time of the calling process, all threads.
Nanos own_cpu_time();

}  // namespace tickmark::process
