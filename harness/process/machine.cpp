#include "harness/process/machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/process/process_tree.h"
#include "harness/process/text.h"

namespace tickmark::process {
namespace {

std::string file_line(const char* path) { return std::string(trim(read_proc_file(path))); }
int64_t file_number(const char* path) { return to_integer(read_proc_file(path), -1); }

std::string cpu_model() {
  const std::string cpuinfo = read_proc_file("/proc/cpuinfo");
  for (const std::string_view line : split_lines(cpuinfo)) {
    if (!line.starts_with("model name")) continue;
    return std::string(trim(line.substr(std::min(line.size(), line.find(':') + 1))));
  }
  return {};
}

/// Leaf 0x40000000 of cpuid names the hypervisor: "KVMKVMKVM", "VMwareVMware", "Microsoft Hv" ...
std::string hypervisor() {
  const std::string cpuinfo = read_proc_file("/proc/cpuinfo");
  if (cpuinfo.find(" hypervisor") == std::string::npos) return file_line("/sys/hypervisor/type");
#if defined(__x86_64__)
  unsigned eax = 0, name[4] = {};
  __cpuid(0x40000000, eax, name[0], name[1], name[2]);
  const std::string text(reinterpret_cast<const char*>(name));
  if (!text.empty()) return text;
#endif
  return "virtual machine";
}

/// The word in brackets: "always [madvise] never".
std::string chosen_word(const std::string& text) {
  const size_t open = text.find('['), close = text.find(']');
  return open == std::string::npos || close == std::string::npos ? text
                                                                 : text.substr(open + 1, close - open - 1);
}

std::string mitigations() {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ignored)) {
    const std::string state = file_line(entry.path().c_str());
    if (!state.starts_with("Not affected")) found.push_back(entry.path().filename().string() + ": " + state);
  }
  std::ranges::sort(found);
  return fmt::format("{}", fmt::join(found, "; "));
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo): tells equal from different without publishing the contents.
std::string fingerprint(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

/// cpu.max of our cgroup or of the nearest one above it that sets a limit (cgroup v2).
std::string cgroup_cpu_max() {
  std::string own(value_of(read_proc_file("/proc/self/cgroup"), "0::"));
  std::string nearest;
  while (true) {
    const std::string limit = file_line(("/sys/fs/cgroup" + own + "/cpu.max").c_str());
    if (!limit.empty() && !limit.starts_with("max")) return limit;
    if (!limit.empty()) nearest = limit;
    if (own.empty() || own == "/") return nearest;
    own = own.substr(0, own.rfind('/'));
  }
}

std::string os_release() {
  std::string name(value_of(read_proc_file("/etc/os-release"), "PRETTY_NAME="));
  std::erase(name, '"');
  return name;
}

void measure_clock(Machine& machine) {
  constexpr int kReads = 20'000;
  const Nanos begin = now();
  for (int i = 0; i < kReads; ++i) (void)now();
  machine.clock_read = (now() - begin) / kReads;
}

/// How late a sleeper wakes (nearest-rank percentiles): 100 absolute deadlines, 1 ms apart, as an open-loop
/// client would sleep.
void measure_timer(Machine& machine) {
  std::vector<Nanos> lateness;
  for (int i = 0; i < 100; ++i) {
    const Nanos due = now() + 1ms;
    const timespec ts{due.count() / 1'000'000'000, due.count() % 1'000'000'000};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr) == EINTR) {
    }
    lateness.push_back(now() - due);
  }
  std::ranges::sort(lateness);
  machine.timer_lateness_p50 = lateness[49];
  machine.timer_lateness_p99 = lateness[98];
}

}  // namespace

std::string build_type() { return TICKMARK_BUILD_TYPE; }

void judge_machine(Machine& machine, const std::string& build) {
  const auto forbid = [&](std::string sentence) {
    machine.warnings.push_back(std::move(sentence));
    machine.comparable = false;
  };
  if (build != "Release" && build != "RelWithDebInfo") {
    forbid(fmt::format("This is a {} build: its numbers are not comparable; run ./scripts/build.",
                       build.empty() ? "nameless" : build));
  }
  if (machine.governor == "powersave") {
    forbid(
        "The CPU governor is 'powersave': clocks follow the load; run 'cpupower frequency-set -g "
        "performance'.");
  }
  if (!machine.cgroup_cpu_max.empty() && !machine.cgroup_cpu_max.starts_with("max")) {
    forbid(
        fmt::format("A cgroup limits this process to cpu.max '{}': it will be throttled; run outside of it.",
                    machine.cgroup_cpu_max));
  }
  if (!machine.clocksource.empty() && machine.clocksource != "tsc" &&
      machine.clocksource != "arch_sys_counter" && machine.clocksource != "kvm-clock") {
    machine.warnings.push_back(fmt::format(
        "The clock source is '{}' ({} ns a read): boot with clocksource=tsc if the CPU's is stable.",
        machine.clocksource, machine.clock_read.count()));
  }
  if (machine.cpus_online < 2) {
    forbid("Only one CPU is online: client and subject share it; use a machine with at least two.");
  }
  if (machine.timer_lateness_p99 > 2ms) {
    machine.warnings.push_back(fmt::format(
        "Timers wake up to {:.1f} ms late (p99): the machine is busy or its host is; end other work.",
        seconds(machine.timer_lateness_p99) * 1e3));
  }
  if (machine.load_average > 0.5 * machine.cpus_online) {
    machine.warnings.push_back(
        fmt::format("The load average is {:.2f} on {} CPUs: end other work before measuring.",
                    machine.load_average, machine.cpus_online));
  }
  if (machine.thp == "always") {
    machine.warnings.push_back(
        "Transparent huge pages are 'always': memory per connection is inflated; run 'echo madvise > "
        "/sys/kernel/mm/transparent_hugepage/enabled'.");
  }
}

Machine inspect_machine() {
  Machine machine;
  machine.cpu_model = cpu_model();
  machine.cpus_online = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  machine.smt = static_cast<int>(file_number("/sys/devices/system/cpu/smt/active"));
  machine.governor = file_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.hypervisor = hypervisor();
  machine.memory_bytes = to_integer(value_of(read_proc_file("/proc/meminfo"), "MemTotal:"), -1);
  if (machine.memory_bytes > 0) machine.memory_bytes *= 1024;
  utsname name{};
  if (::uname(&name) == 0) machine.kernel = fmt::format("{} {} {}", name.release, name.version, name.machine);
  machine.kernel_command_line_hash = fingerprint(read_proc_file("/proc/cmdline"));
  machine.mitigations = mitigations();
  machine.clocksource = file_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  machine.thp = chosen_word(file_line("/sys/kernel/mm/transparent_hugepage/enabled"));
  machine.aslr = static_cast<int>(file_number("/proc/sys/kernel/randomize_va_space"));
  machine.somaxconn = file_number("/proc/sys/net/core/somaxconn");
  machine.tcp_max_syn_backlog = file_number("/proc/sys/net/ipv4/tcp_max_syn_backlog");
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    machine.nofile_soft = static_cast<int64_t>(files.rlim_cur);
    machine.nofile_hard = static_cast<int64_t>(files.rlim_max);
  }
  machine.os_release = os_release();
  machine.cgroup_cpu_max = cgroup_cpu_max();
  double load[1];
  if (::getloadavg(load, 1) == 1) machine.load_average = load[0];
  measure_clock(machine);
  measure_timer(machine);
  judge_machine(machine, build_type());
  return machine;
}

nlohmann::json to_json(const Machine& machine) {
  nlohmann::json json{{"schema", "tickmark.machine/1"}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  const auto number = [&](const char* key, auto value) {
    if (value >= 0) json[key] = value;
  };
  text("cpu_model", machine.cpu_model);
  number("cpus_online", machine.cpus_online);
  if (machine.smt >= 0) json["smt"] = machine.smt == 1;
  text("governor", machine.governor);
  text("hypervisor", machine.hypervisor);
  number("memory_bytes", machine.memory_bytes);
  text("kernel", machine.kernel);
  text("kernel_command_line_hash", machine.kernel_command_line_hash);
  text("mitigations", machine.mitigations);
  text("clocksource", machine.clocksource);
  text("thp", machine.thp);
  number("aslr", machine.aslr);
  number("somaxconn", machine.somaxconn);
  number("tcp_max_syn_backlog", machine.tcp_max_syn_backlog);
  number("nofile_soft", machine.nofile_soft);
  number("nofile_hard", machine.nofile_hard);
  text("os_release", machine.os_release);
  text("cgroup_cpu_max", machine.cgroup_cpu_max);
  number("load_average", machine.load_average);
  json["clock_read_ns"] = machine.clock_read.count();
  json["timer_lateness_ns_p50"] = machine.timer_lateness_p50.count();
  json["timer_lateness_ns_p99"] = machine.timer_lateness_p99.count();
  json["warnings"] = machine.warnings;
  json["comparable"] = machine.comparable;
  return json;
}

}  // namespace tickmark::process
