// Parsers on literal contents of the kernel's files, then one look at the machine the test runs on.

#include "harness/process/machine.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/process/doctor.h"
#include "harness/process/kernel_memory.h"
#include "harness/process/sentinels.h"
#include "harness/process/text.h"

namespace tickmark::process::machine_test {
namespace {

constexpr std::string_view kStat =
    "cpu  100 10 40 1000 7 3 5 20 50 0\n"
    "cpu0 50 5 20 500 3 2 2 10 25 0\n"
    "cpu1 50 5 20 500 4 1 3 10 25 0\n"
    "intr 12345 1 2 3\n"
    "ctxt 987654\n"
    "btime 1700000000\n";

constexpr std::string_view kNetstat =
    "TcpExt: SyncookiesSent TCPReqQFullDoCookies ListenOverflows ListenDrops TCPTimeouts\n"
    "TcpExt: 0 4 17 21 9\n"
    "IpExt: InNoRoutes ListenDrops\n"
    "IpExt: 0 99\n";

constexpr std::string_view kSnmp =
    "Ip: Forwarding DefaultTTL RetransSegs\n"
    "Ip: 1 64 5\n"
    "Tcp: RtoAlgorithm MaxConn InSegs OutSegs RetransSegs InErrs\n"
    "Tcp: 1 -1 1000 2000 33 0\n";

TEST(System, ParsesTheKernelsFiles) {
  const SystemSnapshot snapshot = parse_system(kStat, kNetstat, kSnmp, 100);
  EXPECT_EQ(snapshot.cpus, 2);
  EXPECT_EQ(snapshot.busy, 10ms * (100 + 10 + 40 + 3 + 5));
  EXPECT_EQ(snapshot.steal, 10ms * 20);
  EXPECT_EQ(snapshot.total, 10ms * (158 + 20 + 1000 + 7));
  EXPECT_EQ(snapshot.context_switches, 987654u);
  EXPECT_EQ(snapshot.syn_cookies, 4u);
  EXPECT_EQ(snapshot.listen_overflows, 17u);
  EXPECT_EQ(snapshot.listen_drops, 21u);
  EXPECT_EQ(snapshot.retransmits, 33u) << "of Tcp, not of Ip";
}

TEST(System, SurvivesForeignContents) {
  const SystemSnapshot nothing = parse_system("", "", "", 100);
  EXPECT_EQ(nothing.cpus, 0);
  EXPECT_EQ(nothing.busy, Nanos{0});
  EXPECT_EQ(parse_system("cpu 1\n", "TcpExt: ListenDrops\nTcpExt:\n", "Tcp: RetransSegs\n", 100).listen_drops,
            0u);
}

TEST(Environment, ForeignIsBusyMinusSubjectMinusClient) {
  SystemSnapshot begin = parse_system(kStat, kNetstat, kSnmp, 100), end = begin;
  end.at = begin.at + 1s;
  end.busy += 1500ms;
  end.steal += 40ms;
  end.listen_overflows += 3;
  end.retransmits += 2;
  const Environment environment = environment_between(begin, end, 800ms, 500ms);
  EXPECT_NEAR(environment.foreign_cpu_share, 0.2 / 2, 1e-9);
  EXPECT_NEAR(environment.steal_share, 0.02, 1e-9);
  EXPECT_EQ(environment.listen_overflows, 3u);
  EXPECT_EQ(environment.retransmits, 2u);
  EXPECT_EQ(environment.syn_cookies, 0u);
  // Ticks are coarser than our clocks: never a negative share.
  EXPECT_EQ(environment_between(begin, end, 1s, 1s).foreign_cpu_share, 0);
}

TEST(Environment, ReadsThisMachine) {
  const SystemSnapshot snapshot = sample_system();
  EXPECT_EQ(snapshot.cpus, ::sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_GT(snapshot.busy, Nanos{0});
  EXPECT_GT(snapshot.total, snapshot.busy);
  EXPECT_GT(snapshot.context_switches, 0u);
}

TEST(KernelMemory, ParsesAndDivides) {
  const KernelMemory before = parse_kernel_memory(
      "MemTotal:       1000 kB\nSlab:             200 kB\nSReclaimable:     5 kB\nKernelStack:        32 "
      "kB\nPageTables:         8 kB\n",
      "sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 8 mem 3\nUDP: inuse 2 mem 77\n", 4096);
  EXPECT_EQ(before.slab_bytes, 200u * 1024);
  EXPECT_EQ(before.kernel_stack_bytes, 32u * 1024);
  EXPECT_EQ(before.page_table_bytes, 8u * 1024);
  EXPECT_EQ(before.socket_bytes, 3u * 4096);
  KernelMemory after = before;
  after.slab_bytes += 1'000'000;
  after.socket_bytes += 200'000;
  EXPECT_DOUBLE_EQ(kernel_bytes_per_connection(before, after, 100), 12'000);
  EXPECT_EQ(kernel_bytes_per_connection(after, before, 100), 0);
  EXPECT_EQ(kernel_bytes_per_connection(before, after, 0), 0);
  EXPECT_EQ(parse_kernel_memory("", "", 4096).total(), 0u);
  EXPECT_GT(sample_kernel_memory().slab_bytes, 0u);
}

Machine quiet_machine() {
  Machine machine;
  machine.cpus_online = 4;
  machine.clocksource = "tsc";
  machine.load_average = 0.1;
  machine.cgroup_cpu_max = "max 100000";
  machine.thp = "madvise";
  machine.nofile_soft = machine.nofile_hard = 65536;
  machine.somaxconn = 4096;
  machine.tcp_max_syn_backlog = 2048;
  machine.os_release = "Debian GNU/Linux 12 (bookworm)";
  return machine;
}

TEST(Machine, AQuietOneHasNoWarning) {
  Machine machine = quiet_machine();
  judge_machine(machine, "Release");
  EXPECT_TRUE(machine.warnings.empty()) << machine.warnings[0];
  EXPECT_TRUE(machine.comparable);
}

TEST(Machine, WhatDistortsIsSaidWithWhatToDo) {
  const auto judged = [](auto change, const char* build) {
    Machine machine = quiet_machine();
    change(machine);
    judge_machine(machine, build);
    return machine;
  };
  const auto expect = [](const Machine& machine, const char* word, bool comparable) {
    ASSERT_EQ(machine.warnings.size(), 1u) << word;
    EXPECT_NE(machine.warnings[0].find(word), std::string::npos) << machine.warnings[0];
    EXPECT_EQ(machine.comparable, comparable) << word;
  };
  expect(judged([](Machine&) {}, "Debug"), "Debug build", false);
  expect(judged([](Machine& m) { m.governor = "powersave"; }, "Release"), "cpupower", false);
  expect(judged([](Machine& m) { m.cgroup_cpu_max = "50000 100000"; }, "Release"), "throttled", false);
  expect(judged([](Machine& m) { m.cpus_online = 1; }, "Release"), "one CPU", false);
  expect(judged([](Machine& m) { m.clocksource = "hpet"; }, "Release"), "hpet", true);
  expect(judged([](Machine& m) { m.load_average = 3; }, "Release"), "load average", true);
  expect(judged([](Machine& m) { m.thp = "always"; }, "Release"), "huge pages", true);
  expect(judged([](Machine& m) { m.timer_lateness_p99 = 5ms; }, "Release"), "5.0 ms late", true);
}

TEST(Machine, InspectsThisOne) {
  const Machine machine = inspect_machine();
  EXPECT_GT(machine.cpus_online, 0);
  EXPECT_GT(machine.memory_bytes, 64 << 20);
  EXPECT_FALSE(machine.kernel.empty());
  EXPECT_EQ(machine.kernel_command_line_hash.size(), 16u);
  EXPECT_GT(machine.nofile_hard, 0);
  EXPECT_GT(machine.clock_read, Nanos{0});
  EXPECT_GT(machine.timer_lateness_p50, Nanos{0});
  EXPECT_LE(machine.timer_lateness_p50, machine.timer_lateness_p99);
}

TEST(Machine, JsonLeavesOutWhatIsUnknown) {
  Machine machine = quiet_machine();
  machine.smt = 1;
  machine.timer_lateness_p99 = 250us;
  const auto json = to_json(machine);
  EXPECT_EQ(json["schema"], "tickmark.machine/1");
  EXPECT_EQ(json["smt"], true);
  EXPECT_EQ(json["timer_lateness_ns_p99"], 250'000);
  EXPECT_FALSE(json.contains("governor"));
  EXPECT_FALSE(json.contains("memory_bytes"));
  EXPECT_FALSE(json.contains("aslr"));
  EXPECT_TRUE(json["warnings"].is_array());
}

CheckStatus status_of(const std::vector<Check>& checks, std::string_view name) {
  const auto found = std::ranges::find(checks, name, &Check::name);
  EXPECT_NE(found, checks.end()) << name;
  if (found == checks.end()) return CheckStatus::kBad;
  EXPECT_TRUE(found->status == CheckStatus::kOk || !found->advice.empty()) << name;
  EXPECT_FALSE(found->seen.empty()) << name;
  return found->status;
}

TEST(Doctor, JudgesWhatItIsGiven) {
  Machine machine = quiet_machine();
  const auto good = examine(machine, nullptr);
  for (const char* name : {"cpus", "load_average", "governor", "cgroup_cpu_max", "clocksource", "descriptors",
                           "somaxconn", "tcp_max_syn_backlog", "transparent_huge_pages", "system"}) {
    EXPECT_EQ(status_of(good, name), CheckStatus::kOk) << name;
  }
  for (const char* name :
       {"build_type", "memory", "swap", "disk_space", "port_range", "python", "other_processes"}) {
    status_of(good, name);
  }
  machine.cpus_online = 1;
  machine.load_average = 9;
  machine.governor = "powersave";
  machine.clock_read = 1us;
  machine.nofile_hard = 1024;
  machine.somaxconn = 128;
  machine.thp = "always";
  machine.os_release = "Plan 9";
  const auto poor = examine(machine, nullptr);
  EXPECT_EQ(status_of(poor, "cpus"), CheckStatus::kBad);
  EXPECT_EQ(status_of(poor, "descriptors"), CheckStatus::kBad);
  for (const char* name :
       {"load_average", "governor", "clocksource", "somaxconn", "transparent_huge_pages", "system"}) {
    EXPECT_EQ(status_of(poor, name), CheckStatus::kWarn) << name;
  }
  machine.nofile_hard = 10'000;
  EXPECT_EQ(status_of(examine(machine, nullptr), "descriptors"), CheckStatus::kWarn)
      << "enough for 5,000, not for 20,000";
  EXPECT_EQ(to_json(poor[0]).size(), 4u);
}

TEST(Text, SplitsAndTrims) {
  EXPECT_EQ(trim("  a b\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(split_words("  a\t b  "), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(split_lines("a\n\nb"), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(to_integer(" 42 kB"), 42);
  EXPECT_EQ(to_integer("none", -1), -1);
  EXPECT_EQ(value_of("ab: 1\na: 2\n", "a:"), "2");
}

}  // namespace
}  // namespace tickmark::process::machine_test
