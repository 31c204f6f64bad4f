#include "harness/run/asleep.h"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "harness/base/unique_fd.h"

namespace tickmark::run {
namespace {

/// A child that spins until it reads `w`, then waits for its input to end.
class Child {
 public:
  Child() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      char byte = 0;
      while (::read(ends[0], &byte, 1) != 1) continue;
      ::fcntl(ends[0], F_SETFL, 0);
      ::close(ends[1]);
      (void)!::read(ends[0], &byte, 1);
      ::_exit(0);
    }
    ::close(ends[0]);
    input_ = UniqueFd(ends[1]);
  }
  ~Child() { end(); }
  void let_wait() { EXPECT_EQ(::write(input_.get(), "w", 1), 1); }
  void end() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  UniqueFd input_;
};

TEST(Asleep, one_that_spins_is_not_at_rest_and_one_that_waits_is) {
  Child child;
  Asleep asleep(child.pid());
  EXPECT_FALSE(asleep.at_rest());
  EXPECT_FALSE(asleep.wait(1ms));
  child.let_wait();
  EXPECT_TRUE(asleep.wait(60s));
}

TEST(Asleep, one_thread_that_spins_is_enough) {
  std::atomic<bool> stop = false;
  // This process: the test's own thread asks, so it never sleeps meanwhile; a child of one thread would not
  // do.
  Child waits;
  waits.let_wait();
  ASSERT_TRUE(Asleep(waits.pid()).wait(60s));
  std::thread spins([&] {
    while (!stop) continue;
  });
  EXPECT_FALSE(Asleep(::getpid()).at_rest());
  stop = true;
  spins.join();
}

TEST(Asleep, one_that_never_rests_is_not_waited_for_again_and_again) {
  Child child;
  Asleep asleep(child.pid());
  for (int i = 0; i < Asleep::kFailuresMax; ++i) EXPECT_FALSE(asleep.wait(1ms));
  child.let_wait();
  ASSERT_TRUE(Asleep(child.pid()).wait(60s));
  EXPECT_FALSE(asleep.wait(60s)) << "given up, though it would be at rest now";
}

TEST(Asleep, one_below_it_that_spins_is_enough) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]), to(ends[1]);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const pid_t below = ::fork();
    if (below == 0) {
      ::alarm(60);  // should nobody be left who ends it
      while (true) continue;
    }
    (void)!::write(to.get(), &below, sizeof below);
    ::pause();
    ::_exit(0);
  }
  pid_t below = 0;
  ASSERT_EQ(::read(from.get(), &below, sizeof below), ssize_t{sizeof below});
  const Asleep asleep(parent);
  EXPECT_FALSE(asleep.at_rest());
  ::kill(below, SIGKILL);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
}

TEST(Asleep, one_that_its_tracer_holds_is_in_the_middle_of_something) {
  const pid_t traced = ::fork();
  if (traced == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(traced, &status, 0), traced);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_FALSE(Asleep(traced).at_rest());
  ::kill(traced, SIGKILL);
  ::waitpid(traced, nullptr, 0);
}

TEST(Asleep, one_that_has_ended_is_at_rest_before_anybody_waited_for_it) {
  Child child;
  const Asleep asleep(child.pid());
  EXPECT_FALSE(asleep.at_rest());
  ::kill(child.pid(), SIGKILL);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(asleep.at_rest());
}

TEST(Asleep, nobody_there_is_at_rest) {
  Child child;
  const pid_t pid = child.pid();
  Asleep asleep(pid);
  child.end();
  EXPECT_TRUE(asleep.at_rest());
}

}  // namespace
}  // namespace tickmark::run
