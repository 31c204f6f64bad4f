#include "harness/run/asleep.h"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
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

TEST(Asleep, nobody_there_is_at_rest) {
  Child child;
  const pid_t pid = child.pid();
  Asleep asleep(pid);
  child.end();
  EXPECT_TRUE(asleep.at_rest());
}

}  // namespace
}  // namespace tickmark::run
