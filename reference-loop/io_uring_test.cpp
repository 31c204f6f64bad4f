// What happens where the kernel refuses io_uring: a system call filter plays the kernel that does.
#include <cerrno>
#include <cstddef>
#include <functional>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/loop.h"
#include "reference-loop/timer.h"

namespace refloop::io_uring_test {
namespace {

using namespace std::chrono_literals;

// From now on io_uring_setup fails with `error`; for the rest of the process.
bool forbid_io_uring(unsigned error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Runs `check` in a child in which the kernel refuses io_uring.
bool holds_where_refused(unsigned error, const std::function<bool()>& check) {
  const pid_t child = fork();
  if (child == 0) _exit(forbid_io_uring(error) && check() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(IoUring, an_explicit_request_is_refused_as_not_supported) {
  for (const unsigned error : {EPERM, ENOSYS}) {
    EXPECT_TRUE(holds_where_refused(error, [] {
      const auto loop = Loop::create({.backend = BackendKind::io_uring});
      return !loop && loop.error() == Error::not_supported;
    })) << error;
  }
}

TEST(IoUring, automatic_falls_back_to_epoll_and_says_so) {
  EXPECT_TRUE(holds_where_refused(EPERM, [] {
    const auto loop = Loop::create({.backend = BackendKind::automatic});
    if (!loop || (*loop)->backend_kind() != BackendKind::epoll) return false;
    Timer timer(**loop);
    bool fired = false;
    timer.data = &fired;
    (void)timer.start([](Timer& self) { *static_cast<bool*>(self.data) = true; }, 1ms);
    (*loop)->run();
    return fired;
  }));
}

TEST(IoUring, the_refusal_says_why_and_what_to_do) {
  EXPECT_TRUE(holds_where_refused(
      EPERM, [] { return io_uring_refusal().find("kernel.io_uring_disabled") != std::string_view::npos; }));
  EXPECT_TRUE(holds_where_refused(
      ENOSYS, [] { return io_uring_refusal().find("Linux 6.12") != std::string_view::npos; }));
}

TEST(IoUring, automatic_takes_it_where_it_can_be_had) {
  const auto loop = Loop::create({.backend = BackendKind::automatic});
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->backend_kind() == BackendKind::io_uring, io_uring_refusal().empty());
}

}  // namespace
}  // namespace refloop::io_uring_test
