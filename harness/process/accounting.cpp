#include "harness/process/accounting.h"

#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/process/process_tree.h"

namespace tickmark::process {
namespace {

Nanos from_ticks(uint64_t ticks) {
  static const uint64_t per_second = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  return Nanos{static_cast<int64_t>(ticks * (1'000'000'000 / per_second))};
}

/// The process's own CPU clock: nanoseconds, all its threads, exited ones included.
std::optional<Nanos> cpu_clock(pid_t pid) {
  clockid_t clock;
  timespec ts;
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &ts) != 0) return std::nullopt;
  return Nanos{static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

/// /proc/PID/task/TID/schedstat: "ran_ns waited_ns times_run".
void add_threads(pid_t pid, TreeUsage& usage) {
  DIR* tasks = ::opendir(fmt::format("/proc/{}/task", pid).c_str());
  if (tasks == nullptr) return;
  while (const dirent* entry = ::readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    char name[32];
    const size_t length = ::strnlen(entry->d_name, sizeof name - sizeof "/schedstat");
    std::memcpy(name, entry->d_name, length);
    std::memcpy(name + length, "/schedstat", sizeof "/schedstat");
    const UniqueFd fd(::openat(::dirfd(tasks), name, O_RDONLY | O_CLOEXEC));
    char text[96];
    const ssize_t n = fd ? ::read(fd.get(), text, sizeof text) : -1;
    if (n <= 0) continue;
    const char* cursor = text;
    uint64_t fields[3] = {};
    for (uint64_t& field : fields) {
      while (cursor < text + n && *cursor == ' ') ++cursor;
      cursor = std::from_chars(cursor, text + n, field).ptr;
    }
    usage.run_queue_wait += Nanos{static_cast<int64_t>(fields[1])};
    usage.context_switches += fields[2];
  }
  ::closedir(tasks);
}

uint64_t kib_line(const std::string& text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  const size_t digit = text.find_first_of("0123456789", at + key.size());
  uint64_t kib = 0;
  if (digit != std::string::npos) std::from_chars(text.data() + digit, text.data() + text.size(), kib);
  return kib * 1024;
}

uint64_t minus(uint64_t end, uint64_t begin) { return end > begin ? end - begin : 0; }
Nanos minus(Nanos end, Nanos begin) { return end > begin ? end - begin : Nanos{0}; }

}  // namespace

TreeUsage sample_tree(pid_t root, UsageDetail detail) {
  TreeUsage usage;
  const auto tree = read_process_tree(root);
  usage.at = now();
  for (const ProcessStat& process : tree) {
    // A process that ended since the scan has no clock any more: then what the scan saw, in ticks.
    usage.cpu_time += cpu_clock(process.pid).value_or(from_ticks(process.user_ticks + process.system_ticks)) +
                      from_ticks(process.child_user_ticks + process.child_system_ticks);
    usage.minor_faults += process.minor_faults;
    if (process.state == 'Z') continue;
    usage.processes += 1;
    usage.threads += process.threads;
  }
  if (detail == UsageDetail::kCpu) return usage;
  for (const ProcessStat& process : tree) add_threads(process.pid, usage);
  if (detail == UsageDetail::kThreads) return usage;
  for (const ProcessStat& process : tree) {
    const std::string rollup = read_proc_file(fmt::format("/proc/{}/smaps_rollup", process.pid).c_str());
    usage.rss_bytes += kib_line(rollup, "\nRss:");
    usage.pss_bytes += kib_line(rollup, "\nPss:");
    usage.pss_unbacked_bytes += rollup.contains("\nPss_Anon:")
                                    ? kib_line(rollup, "\nPss_Anon:") + kib_line(rollup, "\nPss_Shmem:")
                                    : kib_line(rollup, "\nPss:");
  }
  return usage;
}

Nanos cpu_time_of(const std::vector<pid_t>& pids) {
  Nanos total{0};
  for (const pid_t pid : pids) total += cpu_clock(pid).value_or(Nanos{0});
  return total;
}

TreeUsage operator-(const TreeUsage& end, const TreeUsage& begin) {
  TreeUsage used = end;
  used.at = minus(end.at, begin.at);
  used.cpu_time = minus(end.cpu_time, begin.cpu_time);
  used.run_queue_wait = minus(end.run_queue_wait, begin.run_queue_wait);
  used.context_switches = minus(end.context_switches, begin.context_switches);
  used.minor_faults = minus(end.minor_faults, begin.minor_faults);
  return used;
}

std::vector<pid_t> process_tree(pid_t root) {
  std::vector<pid_t> pids;
  for (const ProcessStat& process : read_process_tree(root)) {
    if (process.state != 'Z') pids.push_back(process.pid);
  }
  return pids;
}

Nanos own_cpu_time() {
  timespec ts;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return Nanos{static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

}  // namespace tickmark::process
