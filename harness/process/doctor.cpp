#include "harness/process/doctor.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

#include "harness/process/process_tree.h"
#include "harness/process/sentinels.h"
#include "harness/process/text.h"

namespace tickmark::process {
namespace {

constexpr int64_t kQuickConnections = 5'000;  ///< of the quick and standard suites
constexpr int64_t kFullConnections = 20'000;  ///< of the full suite
constexpr int64_t kSpareDescriptors = 200;    ///< pipes, files, libraries beside the sockets

Check ok(std::string name, std::string seen) {
  return {std::move(name), CheckStatus::kOk, std::move(seen), ""};
}
Check warn(std::string name, std::string seen, std::string advice) {
  return {std::move(name), CheckStatus::kWarn, std::move(seen), std::move(advice)};
}
Check bad(std::string name, std::string seen, std::string advice) {
  return {std::move(name), CheckStatus::kBad, std::move(seen), std::move(advice)};
}

void examine_cpus(const Machine& machine, std::vector<Check>& checks) {
  const std::string cpus = fmt::format("{} x {}", machine.cpus_online, machine.cpu_model);
  checks.push_back(
      machine.cpus_online >= 2
          ? ok("cpus", cpus)
          : bad("cpus", cpus, "use a machine with two CPUs: client and subject would share one"));
  const std::string load = fmt::format("{:.2f} over the last minute", machine.load_average);
  checks.push_back(machine.load_average <= 0.5 * machine.cpus_online
                       ? ok("load_average", load)
                       : warn("load_average", load, "end other work, or wait a minute"));
  if (machine.governor.empty()) {
    checks.push_back(ok("governor", "no frequency control visible (usual in a virtual machine)"));
  } else {
    checks.push_back(machine.governor == "performance"
                         ? ok("governor", machine.governor)
                         : warn("governor", machine.governor, "cpupower frequency-set -g performance"));
  }
  const bool limited = !machine.cgroup_cpu_max.empty() && !machine.cgroup_cpu_max.starts_with("max");
  checks.push_back(
      limited ? bad("cgroup_cpu_max", machine.cgroup_cpu_max, "run outside of this cgroup: it throttles")
              : ok("cgroup_cpu_max", "no limit"));
  const std::string clock = fmt::format("{}, {} ns a read", machine.clocksource, machine.clock_read.count());
  checks.push_back(machine.clock_read < 200ns
                       ? ok("clocksource", clock)
                       : warn("clocksource", clock, "boot with clocksource=tsc if the CPU's is stable"));
  const std::string late =
      fmt::format("p50 {:.0f} us, p99 {:.0f} us late", seconds(machine.timer_lateness_p50) * 1e6,
                  seconds(machine.timer_lateness_p99) * 1e6);
  checks.push_back(machine.timer_lateness_p99 < 2ms
                       ? ok("timer_lateness", late)
                       : warn("timer_lateness", late, "end other work; look at the host"));
}

Check examine_descriptors(const Machine& machine) {
  const std::string seen = fmt::format("soft {}, hard {}", machine.nofile_soft, machine.nofile_hard);
  // The soft limit is ours to raise (the harness does); the hard one is not.
  if (machine.nofile_hard < kQuickConnections + kSpareDescriptors) {
    return bad("descriptors", seen,
               "5,000 connections need 5,200: 'ulimit -Hn 65536' as root, or LimitNOFILE= of the service");
  }
  if (machine.nofile_hard < kFullConnections + kSpareDescriptors) {
    return warn("descriptors", seen,
                "enough for 5,000 connections; 20,000 (suite full) need 'ulimit -Hn 65536' as root");
  }
  return ok("descriptors", seen);
}

void examine_network(const Machine& machine, std::vector<Check>& checks) {
  const auto at_least = [&](const char* name, const char* key, int64_t value, int64_t wanted) {
    checks.push_back(value >= wanted ? ok(name, std::to_string(value))
                                     : warn(name, std::to_string(value),
                                            fmt::format("sysctl -w {}={} (a storm of connects overflows it)",
                                                        key, wanted)));
  };
  at_least("somaxconn", "net.core.somaxconn", machine.somaxconn, 4096);
  at_least("tcp_max_syn_backlog", "net.ipv4.tcp_max_syn_backlog", machine.tcp_max_syn_backlog, 1024);
  const std::string range(trim(read_proc_file("/proc/sys/net/ipv4/ip_local_port_range")));
  const auto ends = split_words(range);
  const int64_t ports = ends.size() == 2 ? to_integer(ends[1]) - to_integer(ends[0]) + 1 : 0;
  const std::string seen = fmt::format("{} ports ({})", ports, range);
  // The client connects from several 127.0.0.x, each with the whole range.
  checks.push_back(ports >= 2 * kQuickConnections
                       ? ok("port_range", seen)
                       : warn("port_range", seen, "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"));
}

void examine_memory(const Machine& machine, std::vector<Check>& checks) {
  checks.push_back(
      machine.thp != "always"
          ? ok("transparent_huge_pages", machine.thp.empty() ? "not in this kernel" : machine.thp)
          : warn("transparent_huge_pages", machine.thp,
                 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"));
  const std::string meminfo = read_proc_file("/proc/meminfo");
  const int64_t available = to_integer(value_of(meminfo, "MemAvailable:")) / 1024;
  const int64_t swapped =
      (to_integer(value_of(meminfo, "SwapTotal:")) - to_integer(value_of(meminfo, "SwapFree:"))) / 1024;
  const std::string memory = fmt::format("{} MiB available", available);
  checks.push_back(available >= 1024 ? ok("memory", memory)
                                     : warn("memory", memory,
                                            "end other work: thread stacks and sockets need about 1 GiB"));
  const std::string swap = fmt::format("{} MiB in use", swapped);
  checks.push_back(swapped == 0 ? ok("swap", swap) : warn("swap", swap, "swapoff -a while you measure"));
  std::error_code error;
  const auto space = std::filesystem::space(".", error);
  const std::string disk = fmt::format("{} MiB free here", error ? 0 : space.available >> 20);
  checks.push_back(!error && space.available >= (512u << 20)
                       ? ok("disk_space", disk)
                       : warn("disk_space", disk, "free some: build and bundle need about 512 MiB"));
}

Check examine_python() {
  const char* const python = "/usr/bin/python3";
  const char* const advice = "apt-get install python3 python3-matplotlib (reports only)";
  const auto run = run_once(
      {python, "-c", "import sys, matplotlib; print(sys.version.split()[0], matplotlib.__version__)"});
  if (!run) return warn("python", fmt::format("no {}", python), advice);
  if (run->exit.code != 0 || run->exit.hung)
    return warn("python", fmt::format("{} has no matplotlib", python), advice);
  const auto words = split_words(run->out);
  if (words.size() != 2) return warn("python", std::string(trim(run->out)), advice);
  return ok("python", fmt::format("python {}, matplotlib {}", words[0], words[1]));
}

/// Who else is using the CPUs now: half a second of everybody's CPU time.
Check examine_neighbours() {
  std::map<pid_t, uint64_t> before;
  const auto ticks = [](const ProcessStat& process) { return process.user_ticks + process.system_ticks; };
  const SystemSnapshot begin = sample_system();
  const Nanos own_begin = own_cpu_time();
  for (const ProcessStat& process : read_all_processes()) before[process.pid] = ticks(process);
  ::usleep(500'000);
  pid_t busiest = 0;
  uint64_t most = 0;
  for (const ProcessStat& process : read_all_processes()) {
    const auto known = before.find(process.pid);
    const uint64_t used =
        ticks(process) - (known == before.end() ? 0 : std::min(known->second, ticks(process)));
    if (process.pid == ::getpid() || used <= most) continue;
    busiest = process.pid;
    most = used;
  }
  const Environment around =
      environment_between(begin, sample_system(), Nanos{0}, own_cpu_time() - own_begin);
  std::string seen = fmt::format("{:.0f} % of the machine used by others, {:.0f} % stolen by the host",
                                 around.foreign_cpu_share * 100, around.steal_share * 100);
  if (most > 0) {
    const std::string name(trim(read_proc_file(fmt::format("/proc/{}/comm", busiest).c_str())));
    seen += fmt::format("; busiest: {} (pid {})", name, busiest);
  }
  if (around.foreign_cpu_share <= 0.05 && around.steal_share <= 0.02) return ok("other_processes", seen);
  return warn("other_processes", seen,
              "end other work: such trials are marked invalid for latency and throughput");
}

void examine_subjects(Registry& registry, std::vector<Check>& checks) {
  for (const CatalogueEntry& entry : registry.catalogue()) {
    if (!entry.name.version.empty()) continue;  // fetched runtimes are an extra, not a part of the machine
    const std::string name = "subject_" + entry.manifest.name;
    switch (entry.status.availability) {
      case Availability::kAvailable: {
        std::vector<std::string> versions;
        for (const auto& [key, version] : entry.status.description.versions)
          versions.push_back(key + " " + version);
        checks.push_back(ok(name, fmt::format("{}", fmt::join(versions, ", "))));
        break;
      }
      case Availability::kMissing:
        checks.push_back(warn(name, entry.status.reason, entry.status.install));
        break;
      case Availability::kBroken:
        checks.push_back(bad(name, entry.status.reason, "see 'tickmark serve' of it for the whole output"));
        break;
    }
  }
}

}  // namespace

std::vector<Check> examine(const Machine& machine, Registry* registry) {
  std::vector<Check> checks;
  const std::string build = build_type();
  checks.push_back(build == "Release"
                       ? ok("build_type", build)
                       : warn("build_type", build.empty() ? "none" : build, "./scripts/build"));
  const bool debian_12 = machine.os_release.find("Debian") != std::string::npos &&
                         machine.os_release.find("12") != std::string::npos;
  checks.push_back(debian_12 ? ok("system", machine.os_release)
                             : warn("system", machine.os_release.empty() ? "unknown" : machine.os_release,
                                    "built and tested on Debian 12; elsewhere package names differ"));
  examine_cpus(machine, checks);
  checks.push_back(examine_descriptors(machine));
  examine_network(machine, checks);
  examine_memory(machine, checks);
  checks.push_back(examine_neighbours());
  checks.push_back(examine_python());
  if (registry != nullptr) examine_subjects(*registry, checks);
  return checks;
}

std::string_view to_text(CheckStatus status) {
  switch (status) {
    case CheckStatus::kOk:
      return "ok";
    case CheckStatus::kWarn:
      return "warn";
    case CheckStatus::kBad:
      break;
  }
  return "bad";
}

nlohmann::json to_json(const Check& check) {
  return {{"name", check.name},
          {"status", to_text(check.status)},
          {"seen", check.seen},
          {"advice", check.advice}};
}

}  // namespace tickmark::process
