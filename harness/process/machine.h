#pragma once
// machine.json of docs/bundle.md: where it was measured, and what about this place distorts results.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/base/time.h"

namespace tickmark::process {

/// Empty strings and negative numbers mean: this kernel does not say; such keys are left out of the JSON.
struct Machine {
  std::string cpu_model;
  int cpus_online = 0;
  int smt = -1;            ///< 1 on, 0 off
  std::string governor;    ///< of CPU 0
  std::string hypervisor;  ///< "" = none seen
  int64_t memory_bytes = -1;
  std::string kernel;                    ///< uname release and version
  std::string kernel_command_line_hash;  ///< FNV-1a 64 of /proc/cmdline, hex: equality only, no contents
  std::string mitigations;               ///< "spectre_v2: ...; ..." of those not "Not affected"
  std::string clocksource;
  std::string thp;  ///< always | madvise | never
  int aslr = -1;    ///< kernel.randomize_va_space
  int64_t somaxconn = -1, tcp_max_syn_backlog = -1;
  int64_t nofile_soft = -1, nofile_hard = -1;
  std::string os_release;                              ///< PRETTY_NAME
  std::string cgroup_cpu_max;                          ///< "max 100000", nearest limit above us
  double load_average = -1;                            ///< 1 minute
  Nanos clock_read{0};                                 ///< cost of one now()
  Nanos timer_lateness_p50{0}, timer_lateness_p99{0};  ///< of 1 ms absolute sleeps, 100 of them
  std::vector<std::string> warnings;                   ///< what distorts results, and what to do
  bool comparable = true;                              ///< false: do not compare with other bundles
};

/// CMAKE_BUILD_TYPE of this binary.
std::string build_type();

/// Takes about 0.15 s (the timer measurement).
Machine inspect_machine();

/// Fills `warnings` and `comparable` from the other fields; part of inspect_machine().
void judge_machine(Machine& machine, const std::string& build);

/// machine.json, with its schema.
nlohmann::json to_json(const Machine& machine);

}  // namespace tickmark::process
