#include "harness/process/accounting.h"

#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "harness/process/process_tree.h"
#include "harness/process/test_waiting.h"

namespace tickmark::process::accounting_test {
namespace {

void burn(Nanos cpu) {
  timespec ts;
  const auto used = [&] {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return Nanos{ts.tv_sec * 1'000'000'000LL + ts.tv_nsec};
  };
  for (const Nanos end = used() + cpu; used() < end;) {
  }
}

/// A child that runs `body` and then sleeps until it is killed.
class Child {
 public:
  explicit Child(const std::function<void()>& body) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    body();
    while (true) ::pause();
  }
  ~Child() {
    for (const pid_t pid : process_tree(pid_)) ::kill(pid, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

bool asleep(pid_t pid) {
  const auto stat = read_process_stat(pid);
  return stat && stat->state == 'S';
}

constexpr pid_t kNoPid = 1 << 22;  // the kernel never gives one this large

TEST(ProcessStat, ReadsANameWithBlanksAndParentheses) {
  const auto stat = parse_process_stat(
      "4711 (a b) R (c)) S 17 4711 9 0 -1 4194560 250 7 1 2 111 222 33 44 20 0 5001 0 99 1000 200\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 4711);
  EXPECT_EQ(stat->parent, 17);
  EXPECT_EQ(stat->session, 9);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->minor_faults, 250u);
  EXPECT_EQ(stat->user_ticks, 111u);
  EXPECT_EQ(stat->system_ticks, 222u);
  EXPECT_EQ(stat->child_user_ticks, 33u);
  EXPECT_EQ(stat->child_system_ticks, 44u);
  EXPECT_EQ(stat->threads, 5001);
}

TEST(ProcessStat, RefusesWhatIsNoStat) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("4711 (sh"));
  EXPECT_FALSE(parse_process_stat("4711 (sh) S 1 2"));
  EXPECT_FALSE(parse_process_stat("x (sh) S 1 2"));
}

TEST(SampleTree, CountsASpinningChildToTheNanosecond) {
  Child child([] { burn(60ms); });
  ASSERT_TRUE(eventually([&] { return asleep(child.pid()); }));
  const Nanos used = sample_tree(child.pid(), UsageDetail::kCpu).cpu_time;
  EXPECT_GE(used, 60ms);
  EXPECT_LT(used, 200ms);
  EXPECT_EQ(used, sample_tree(child.pid(), UsageDetail::kCpu).cpu_time) << "it sleeps";
  EXPECT_EQ(used, cpu_time_of({child.pid()}));
}

TEST(SampleTree, CountsExitedThreads) {
  Child child([] { std::thread([] { burn(60ms); }).join(); });
  ASSERT_TRUE(eventually([&] { return asleep(child.pid()) && cpu_time_of({child.pid()}) >= 60ms; }));
  const TreeUsage usage = sample_tree(child.pid(), UsageDetail::kCpu);
  EXPECT_GE(usage.cpu_time, 60ms);
  EXPECT_LT(usage.cpu_time, 200ms);
  EXPECT_EQ(usage.processes, 1);
}

TEST(SampleTree, CountsExitedChildrenAndGrandchildren) {
  Child child([] {
    const pid_t middle = ::fork();
    if (middle == 0) {
      const pid_t grandchild = ::fork();
      if (grandchild == 0) {
        burn(100ms);
        ::_exit(0);
      }
      ::waitpid(grandchild, nullptr, 0);
      ::_exit(0);
    }
    ::waitpid(middle, nullptr, 0);
  });
  ASSERT_TRUE(eventually([&] {
    const auto stat = read_process_stat(child.pid());
    return stat && stat->state == 'S' && stat->child_user_ticks + stat->child_system_ticks > 0;
  }));
  const Nanos used = sample_tree(child.pid(), UsageDetail::kCpu).cpu_time;
  EXPECT_GE(used, 80ms) << "two ticks of user and system time may be cut off";
  EXPECT_LT(used, 200ms);
}

TEST(SampleTree, CountsLivingDescendantsAndTheirThreads) {
  Child child([] {
    if (::fork() == 0) {
      std::thread([] {
        burn(30ms);
        while (true) ::pause();
      }).detach();
      while (true) ::pause();
    }
  });
  ASSERT_TRUE(eventually([&] { return sample_tree(child.pid(), UsageDetail::kCpu).cpu_time >= 30ms; }));
  const TreeUsage usage = sample_tree(child.pid(), UsageDetail::kMemory);
  EXPECT_EQ(usage.processes, 2);
  EXPECT_EQ(usage.threads, 3);
  EXPECT_GT(usage.context_switches, 0u);
  EXPECT_GT(usage.minor_faults, 0u);
  EXPECT_GT(usage.rss_bytes, 100'000u);
  EXPECT_GT(usage.pss_bytes, 10'000u);
  EXPECT_LE(usage.pss_bytes, usage.rss_bytes);
  EXPECT_GT(usage.pss_unbacked_bytes, 0u);
  EXPECT_LT(usage.pss_unbacked_bytes, usage.pss_bytes) << "its program and libraries are backed by files";
}

void* touched(int kind, size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
  std::memset(memory, 1, bytes);
  return memory;
}

/// Touches memory, then the pages of a file (this program): only the first is memory that grew.
TEST(SampleTree, FilesAreNoMemoryThatGrew) {
  constexpr size_t kBytes = 8 << 20;
  const size_t file_bytes = std::filesystem::file_size("/proc/self/exe");
  auto& phase = *new (touched(MAP_SHARED, sizeof(std::atomic<int>))) std::atomic<int>(0);
  const auto reach = [&](int wanted) { return eventually([&] { return phase == wanted; }); };
  const Child child([&] {
    reach(1);
    touched(MAP_PRIVATE, kBytes);
    touched(MAP_SHARED, kBytes);
    phase = 2;
    reach(3);
    const int file = ::open("/proc/self/exe", O_RDONLY);
    const auto* mapped =
        static_cast<const volatile char*>(::mmap(nullptr, file_bytes, PROT_READ, MAP_PRIVATE, file, 0));
    for (size_t at = 0; at < file_bytes; at += 4096) (void)mapped[at];
    phase = 4;
    while (true) ::pause();
  });
  const auto sampled = [&] { return sample_tree(child.pid(), UsageDetail::kMemory); };
  const TreeUsage before = sampled();
  phase = 1;
  ASSERT_TRUE(reach(2));
  const TreeUsage with_memory = sampled();
  phase = 3;
  ASSERT_TRUE(reach(4));
  const TreeUsage with_file = sampled();
  EXPECT_GE(with_memory.pss_unbacked_bytes, before.pss_unbacked_bytes + 2 * kBytes);
  EXPECT_GE(with_file.rss_bytes, with_memory.rss_bytes + file_bytes / 2);
  EXPECT_LT(with_file.pss_unbacked_bytes, with_memory.pss_unbacked_bytes + file_bytes / 4);
}

TEST(SampleTree, AgreesWithTheKernelsOwnAccounting) {
  Child child([] {
    burn(50ms);
    for (int i = 0; i < 50; ++i) ::usleep(200);
  });
  ASSERT_TRUE(eventually([&] {
    return asleep(child.pid()) && sample_tree(child.pid(), UsageDetail::kThreads).context_switches >= 50;
  }));
  const TreeUsage usage = sample_tree(child.pid(), UsageDetail::kThreads);
  ::kill(child.pid(), SIGKILL);
  int status = 0;
  rusage used{};
  ASSERT_EQ(::wait4(child.pid(), &status, 0, &used), child.pid());
  const double kernel =
      used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  EXPECT_NEAR(seconds(usage.cpu_time), kernel, 0.02);
  const auto switches = static_cast<double>(used.ru_nvcsw + used.ru_nivcsw);
  EXPECT_NEAR(static_cast<double>(usage.context_switches), switches, 0.1 * switches + 5);
}

TEST(SampleTree, SeesWaitingForACpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  // Two spinners on one CPU: each waits while the other runs.
  const auto spin = [&] {
    ::sched_setaffinity(0, sizeof one, &one);
    while (true) burn(1s);
  };
  Child a(spin), b(spin);
  EXPECT_TRUE(eventually([&] {
    return sample_tree(a.pid(), UsageDetail::kThreads).run_queue_wait >= 20ms &&
           sample_tree(b.pid(), UsageDetail::kThreads).run_queue_wait >= 20ms;
  }));
}

TEST(SampleTree, IsEmptyWithoutAProcess) {
  const TreeUsage usage = sample_tree(kNoPid, UsageDetail::kMemory);
  EXPECT_EQ(usage.processes, 0);
  EXPECT_EQ(usage.cpu_time, Nanos{0});
  EXPECT_TRUE(process_tree(kNoPid).empty());
  EXPECT_EQ(cpu_time_of({kNoPid}), Nanos{0});
}

TEST(TreeUsage, DifferenceKeepsGaugesAndNeverGoesBelowZero) {
  TreeUsage begin, end;
  begin.cpu_time = 5ms, end.cpu_time = 12ms;
  begin.context_switches = 10, end.context_switches = 4;  // threads ended in between
  begin.run_queue_wait = 3ms, end.run_queue_wait = 1ms;
  begin.pss_bytes = 100, end.pss_bytes = 80;
  begin.threads = 9, end.threads = 7;
  const TreeUsage used = end - begin;
  EXPECT_EQ(used.cpu_time, 7ms);
  EXPECT_EQ(used.context_switches, 0u);
  EXPECT_EQ(used.run_queue_wait, Nanos{0});
  EXPECT_EQ(used.pss_bytes, 80u);
  EXPECT_EQ(used.threads, 7);
}

}  // namespace
}  // namespace tickmark::process::accounting_test
