// The guard's promise: whatever happens to the harness, no process of the subject's tree survives.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/process/process_tree.h"
#include "harness/process/subject_process.h"
#include "harness/process/test_waiting.h"

namespace tickmark::process::guard_test {
namespace {

Command subject(const std::string& before, const std::string& after) {
  return {"/bin/sh", "-c",
          before + R"(echo "{\"ready\":{\"address\":\"127.0.0.1\",\"port\":1,\"pid\":$$}}"; )" + after};
}

/// A process that plays the harness: starts the subject, tells the guard's pid once `processes` are in its
/// tree, then does nothing. Its end is ours to choose.
class StandIn {
 public:
  StandIn(const Command& command, size_t processes, bool freeze = false) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) play(command, processes, freeze, ends[1]);
    ::close(ends[1]);
    const UniqueFd in(ends[0]);
    pid_t pid;
    while (::read(in.get(), &pid, sizeof pid) == sizeof pid) {
      if (pid == 0) return;  // complete
      pids_.push_back(pid);
    }
    ADD_FAILURE() << "the stand-in could not start its subject";
  }
  ~StandIn() { kill_it(); }
  void kill_it() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t guard() const { return pids_.at(0); }
  const std::vector<pid_t>& pids() const { return pids_; }  ///< the guard first
  bool all_gone() const {
    return eventually([&] { return std::ranges::all_of(pids_, gone); });
  }

 private:
  [[noreturn]] static void play(const Command& command, size_t processes, bool freeze, int out) {
    auto started = SubjectProcess::start(command);
    if (!started) ::_exit(1);
    if (!eventually([&] { return process_tree(started->guard_pid()).size() == processes + 1; })) ::_exit(1);
    if (freeze) started->freeze();
    auto pids = process_tree(started->guard_pid());
    pids.push_back(0);
    (void)!::write(out, pids.data(), pids.size() * sizeof pids[0]);
    while (true) ::pause();
  }

  pid_t pid_ = 0;
  std::vector<pid_t> pids_;
};

TEST(Guard, EndsASleepingSubject) {
  StandIn harness(subject("", "exec sleep 1000"), 1);
  harness.kill_it();
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, EndsAStoppedSubject) {
  StandIn harness(subject("", "exec sleep 1000"), 1, true);
  EXPECT_EQ(read_process_stat(harness.pids().back())->state, 'T');
  harness.kill_it();
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, EndsASpinningSubjectThatIgnoresSignals) {
  StandIn harness(subject("trap '' TERM HUP INT; ", "while :; do :; done"), 1);
  harness.kill_it();
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, EndsDaemonsAndGrandchildren) {
  // A child with a child, and a daemon whose parents are gone and whose session is its own.
  StandIn harness(
      subject("",
              "sh -c 'sleep 1000; :' & (setsid sh -c 'sleep 1001; :' </dev/null >/dev/null 2>&1 &) ; "
              "while :; do wait; sleep 0.2; done"),
      5);
  harness.kill_it();
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, EndsAForkingSubject) {
  StandIn harness(subject("", "n=0; while [ $n -lt 20 ]; do sleep 1000 & n=$((n+1)); done; wait"), 21);
  harness.kill_it();
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, ASubjectThatSignalsItsGroupDoesNotHitTheGuard) {
  auto started = SubjectProcess::start(
      subject("", "trap '' TERM; kill -TERM 0; read line; echo '{\"final\":{\"n\":5}}'"));
  ASSERT_TRUE(started) << started.error().message;
  const ExitReport report = started->stop(30s);
  EXPECT_EQ(report.final_counters.value("n", 0), 5);
}

TEST(Guard, HoldsNoPipeOfTheSubject) {
  auto started = SubjectProcess::start(subject("", "read line"));
  ASSERT_TRUE(started) << started.error().message;
  for (const char* fd : {"0", "1", "2"}) {
    const auto path = "/proc/" + std::to_string(started->guard_pid()) + "/fd/" + fd;
    EXPECT_EQ(std::filesystem::read_symlink(path), "/dev/null") << "else its reader would never see the end";
  }
}

TEST(Guard, AKilledGuardLeavesNothingBehind) {
  auto started = SubjectProcess::start(subject("", "(setsid sleep 1000 &); sleep 1001 & wait"));
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_TRUE(eventually([&] { return process_tree(started->guard_pid()).size() == 4; }));
  const auto pids = process_tree(started->guard_pid());
  ::kill(started->guard_pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return std::ranges::all_of(pids, gone); }));
  EXPECT_TRUE(eventually([&] { return !started->alive(); }));
  const ExitReport report = started->stop();
  EXPECT_FALSE(report.rusage) << "nobody was there to count";
}

TEST(Guard, EndsWhenItIsAskedToByASignal) {
  StandIn harness(subject("", "sleep 1000 & wait"), 2);
  ::kill(harness.guard(), SIGTERM);
  EXPECT_TRUE(harness.all_gone());
}

TEST(Guard, CountsTheCpuOfEverybodyItWaitedFor) {
  auto run = run_once({"/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done & wait"});
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_TRUE(run->exit.rusage);
  EXPECT_GT(run->exit.rusage->user + run->exit.rusage->system, 20ms);
  EXPECT_GT(run->exit.rusage->max_rss_bytes, 100'000u);
}

}  // namespace
}  // namespace tickmark::process::guard_test
