// How long the wire player waits for a server that says nothing, or is not let.

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/players/thread_states.h"
#include "conformance/players/wire_stage.h"
#include "conformance/tests/play_rules.h"
#include "harness/base/unique_fd.h"

namespace tickmark::conformance::wire {
namespace {

class WirePatience : public testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener_.get(), name, size), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener_.get(), name, &size), 0);
    port_ = ntohs(address.sin_port);
  }

  // Whether the end of a connection came in time; `kept_waiting` is asked when patience begins and when it
  // ends.
  bool plays(std::function<Nanos()> kept_waiting) {
    auto recorder = Recorder::open(scratch_.path() / "trace.ndjson", "wire", 0);
    Step open, end;
    open.verb = Verb::open;
    open.label = end.on = "c";
    end.verb = Verb::expect_end;
    end.label = "e";
    const Scenario scenario{"a/b", "sockets", {open, end}};
    recorder->start(scenario.id, 0);
    Stage stage(*recorder, port_, Dialect::echo,
                {.each = 100ms, .renewals = 2, .kept_waiting = std::move(kept_waiting)});
    return stage.play(scenario);
  }

  void end_connection() { ::close(::accept(listener_.get(), nullptr, nullptr)); }

  ScratchFolder scratch_;
  UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  uint16_t port_ = 0;
  int asked_ = 0;
};

TEST_F(WirePatience, is_renewed_for_a_server_that_wanted_to_run_and_was_not_let) {
  EXPECT_TRUE(plays([this] {
    if (++asked_ == 2) end_connection();
    return asked_ * 1s;
  }));
}

TEST_F(WirePatience, is_over_for_one_that_could_have_run) {
  EXPECT_FALSE(plays([this] {
    ++asked_;
    return Nanos{asked_ * 10ms};
  }));
  EXPECT_EQ(asked_, 2);
}

TEST_F(WirePatience, is_not_renewed_for_ever) {
  EXPECT_FALSE(plays([this] { return ++asked_ * 1s; }));
  EXPECT_EQ(asked_, 1 + 1 + 2) << "at the beginning, at its end, and at the end of two more";
}

// A child on the same core as all that are made so, for a minute at most.
template <typename Body>
pid_t on_one_core(Body body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  cpu_set_t all, one;
  CPU_ZERO(&one);
  ::sched_getaffinity(0, sizeof all, &all);
  int core = 0;
  while (!CPU_ISSET(core, &all)) ++core;
  CPU_SET(core, &one);
  ::sched_setaffinity(0, sizeof one, &one);
  ::alarm(60);
  body();
  ::_exit(0);
}

TEST(WaitedForCpuBelow, is_of_the_whole_tree_and_nothing_of_one_that_is_gone) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd from(ends[0]), to(ends[1]);
  const pid_t rival = on_one_core([] {
    while (true) continue;
  });
  const pid_t child = on_one_core([&] {
    while (waited_for_cpu() < 10ms) continue;
    const Nanos waited = waited_for_cpu();
    (void)!::write(to.get(), &waited, sizeof waited);
    ::pause();
  });
  Nanos of_child{0};
  ASSERT_EQ(::read(from.get(), &of_child, sizeof of_child), ssize_t{sizeof of_child});
  const Nanos ours = waited_for_cpu();
  EXPECT_GE(waited_for_cpu_below(::getpid()), ours + of_child);
  for (const pid_t pid : {rival, child}) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  EXPECT_EQ(waited_for_cpu_below(-1), Nanos{0});
}

}  // namespace
}  // namespace tickmark::conformance::wire
