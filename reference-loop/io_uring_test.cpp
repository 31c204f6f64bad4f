// What happens where the kernel refuses io_uring: a system call filter plays the kernel that does.
#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/loop.h"
#include "reference-loop/pipe.h"
#include "reference-loop/poll.h"
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

// Room for `count` descriptors beside those of the test itself.
bool allow_descriptors(rlim_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < count + 100) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, count + 100);
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// A descriptor that is always ready, until it is heard of.
struct ReadyOnce : Poll {
  ReadyOnce(Loop& loop, Socket socket) : Poll(loop, socket.fd()), owned(std::move(socket)) {}
  Socket owned;
  unsigned heard = 0;
};

// A stream and what its peer got, behind as much as the socket takes at once.
struct Clogged {
  explicit Clogged(Loop& loop) : stream(loop) {
    auto [ours, theirs] = Pipe::make_pair().value();
    std::array<char, 4096> filling{};
    while (::send(ours.fd(), filling.data(), filling.size(), MSG_DONTWAIT) > 0) {
    }
    peer = std::move(theirs);
    EXPECT_TRUE(stream.adopt(std::move(ours)));
  }
  // All that is there now.
  std::string take() {
    std::string all(1 << 20, '\0');
    const auto size = ::recv(peer.fd(), all.data(), all.size(), MSG_DONTWAIT);
    all.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return all;
  }
  Pipe stream;
  Socket peer;
};

// 9,000 polls complete as they are submitted, where the ring has room for 8,192: neither one of them is lost,
// nor the report of the send behind them, without which its bytes would be.
TEST(IoUring, what_does_not_fit_in_the_ring_is_not_lost) {
  constexpr std::size_t kPolls = 9000;
  const auto loop = Loop::create({.backend = BackendKind::io_uring});
  if (!loop || !allow_descriptors(kPolls)) GTEST_SKIP() << io_uring_refusal() << " or too few descriptors";
  const Socket event(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  std::vector<std::unique_ptr<ReadyOnce>> polls;
  for (std::size_t i = 0; i < kPolls; ++i)
    polls.push_back(std::make_unique<ReadyOnce>(**loop, Socket(fcntl(event.fd(), F_DUPFD_CLOEXEC, 0))));
  Clogged clogged(**loop);
  Pipe other(**loop);
  auto [ours, theirs] = Pipe::make_pair().value();
  ASSERT_TRUE(other.adopt(std::move(ours)));
  Timer timer(**loop);
  std::function<void()> ask = [&] {
    for (auto& poll : polls) {
      poll->data = &other;
      EXPECT_TRUE(poll->start(EPOLLIN, [](Poll& self, std::uint32_t) {
        // Takes the place of the bytes whose report is still to be read.
        EXPECT_TRUE(static_cast<Pipe*>(self.data)->send(std::as_bytes(std::span("else", 4))));
        ++static_cast<ReadyOnce&>(self).heard;
        self.close();
      }));
    }
    EXPECT_TRUE(clogged.stream.send(std::as_bytes(std::span("tail", 4))));
  };
  timer.data = &ask;
  EXPECT_TRUE(timer.start([](Timer& self) { (*static_cast<std::function<void()>*>(self.data))(); }, 0ms));
  std::string received;
  for (int turn = 0; turn < 1000 && !received.ends_with("tail"); ++turn) {
    (*loop)->run(RunMode::nowait);
    received += clogged.take();
  }
  EXPECT_TRUE(received.ends_with("tail"));
  for (auto& poll : polls) EXPECT_EQ(poll->heard, 1u);
  clogged.stream.close();
  other.close();
  EXPECT_FALSE((*loop)->run());
}

}  // namespace
}  // namespace refloop::io_uring_test
