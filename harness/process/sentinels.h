#pragma once
// Did somebody else disturb the trial? Two snapshots of the machine around the window, and what the
// difference says: the `environment` of a trial in docs/bundle.md.

#include <cstdint>
#include <string_view>

#include "harness/base/time.h"

namespace tickmark::process {

struct SystemSnapshot {
  Nanos at{0};
  int cpus = 0;
  Nanos busy{0};   ///< user, nice, system, irq, softirq of all CPUs (clock ticks: 10 ms)
  Nanos steal{0};  ///< taken by the hypervisor
  Nanos total{0};  ///< busy + steal + idle + iowait
  uint64_t context_switches = 0;
  uint64_t listen_overflows = 0, listen_drops = 0, syn_cookies = 0, retransmits = 0;
};

/// Contents of /proc/stat, /proc/net/netstat and /proc/net/snmp; what is missing counts 0.
SystemSnapshot parse_system(std::string_view stat, std::string_view netstat, std::string_view snmp,
                            long ticks_per_second);

SystemSnapshot sample_system();

struct Environment {
  double foreign_cpu_share = 0;  ///< of the machine, 0..1: busy minus subject minus client; /proc/stat counts
                                 ///< in ticks, so a window of 0.7 s on 2 CPUs resolves about 0.015
  double steal_share = 0;        ///< of the machine, 0..1
  uint64_t listen_overflows = 0, listen_drops = 0, syn_cookies = 0, retransmits = 0;
};

/// `subject_cpu` and `client_cpu`: CPU time used by the two process trees between the snapshots.
Environment environment_between(const SystemSnapshot& begin, const SystemSnapshot& end, Nanos subject_cpu,
                                Nanos client_cpu);

}  // namespace tickmark::process
