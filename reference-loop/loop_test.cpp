#include "reference-loop/loop.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "reference-loop/poll.h"
#include "reference-loop/pool.h"
#include "reference-loop/signal.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::loop_test {
namespace {

using namespace std::chrono_literals;

struct LoopTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  std::function<void()> note(const char* label) {
    return [this, label] { log.push_back(label); };
  }
};

TEST_F(LoopTest, an_impossible_pool_is_a_typed_error) {
  EXPECT_EQ(Loop::create({.pool_size = 0}).error(), Error::bad_state);
  EXPECT_EQ(Loop::create({.pool_size = 1025}).error(), Error::bad_state);
  EXPECT_EQ(name_of(Error::canceled), "ECANCELED");
}

TEST_F(LoopTest, one_turn_visits_the_phases_in_order) {
  TestWatcher<Check> check(*loop);
  TestWatcher<Prepare> prepare(*loop);
  TestWatcher<Idle> idle(*loop);
  TestTimer timer(*loop);
  Async async(*loop, [](Async& self) { static_cast<Log*>(self.data)->push_back("poll"); });
  async.data = &log;
  check.each_turn([&] {
    log.push_back("check");
    async.close([](Handle& self) { static_cast<Log*>(self.data)->push_back("closing"); });
    check.stop();
  });
  prepare.each_turn([&] {
    log.push_back("prepare");
    prepare.stop();
  });
  idle.each_turn([&] {
    log.push_back("idle");
    timer.start_in(0ns, note("timer"));
    idle.stop();
  });
  async.send();
  EXPECT_FALSE(loop->run(RunMode::once));
  EXPECT_EQ(log, (Log{"idle", "prepare", "poll", "check", "closing", "timer"}));
}

TEST_F(LoopTest, due_timers_run_before_the_first_iteration_only_until_idle) {
  for (const RunMode mode : {RunMode::until_idle, RunMode::once, RunMode::nowait}) {
    log.clear();
    TestTimer timer(*loop);
    TestWatcher<Idle> idle(*loop);
    timer.start_in(0ns, note("timer"));
    idle.each_turn([&] {
      log.push_back("idle");
      idle.stop();
    });
    loop->run(mode);
    EXPECT_EQ(log, mode == RunMode::until_idle ? (Log{"timer", "idle"}) : (Log{"idle", "timer"}));
  }
}

TEST_F(LoopTest, stop_finishes_the_iteration_and_its_siblings_run) {
  TestWatcher<Idle> first(*loop);
  TestWatcher<Idle> second(*loop);
  TestWatcher<Check> check(*loop);
  TestTimer timer(*loop);
  first.each_turn([&] {
    log.push_back("stop");
    timer.start_in(0ns, note("timer"));
    loop->stop();
  });
  second.each_turn(note("sibling"));
  check.each_turn(note("check"));
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(log, (Log{"stop", "sibling", "check", "timer"}));
}

TEST_F(LoopTest, stop_before_run_calls_nothing_back_and_is_used_up) {
  TestTimer timer(*loop);
  timer.start_in(0ns, note("timer"));
  loop->stop();
  EXPECT_TRUE(loop->run());
  EXPECT_EQ(log, Log{});
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"timer"});
}

TEST_F(LoopTest, nowait_does_not_wait_for_a_timer) {
  TestTimer timer(*loop);
  timer.start_in(1h, note("never"));
  EXPECT_TRUE(loop->run(RunMode::nowait));
  EXPECT_EQ(log, Log{});
}

TEST_F(LoopTest, unreferenced_handles_do_not_keep_it_alive_and_run_only_if_something_else_does) {
  TestTimer unreferenced(*loop);
  unreferenced.start_in(0ns, note("unreferenced"));
  unreferenced.unref();
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{});
  TestWatcher<Idle> idle(*loop);
  idle.each_turn([&] {
    log.push_back("idle");
    idle.stop();
  });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"unreferenced", "idle"}));
}

TEST_F(LoopTest, an_unreferenced_timer_that_became_due_in_the_last_iteration_runs) {
  TestTimer unreferenced(*loop);
  TestWatcher<Idle> idle(*loop);
  unreferenced.start_in(1ms, note("timer"));
  unreferenced.unref();
  idle.each_turn([&] {
    busy_for(*loop, 2ms);
    log.push_back("idle");
    idle.stop();
  });
  loop->run();
  EXPECT_EQ(std::ranges::count(log, "timer"),
            1);  // on a busy machine it may be due before the idle watcher runs
}

TEST_F(LoopTest, poll_does_not_wait_while_there_is_something_else_to_do) {
  EXPECT_EQ(loop->poll_timeout(), 0ns) << "nothing is active";
  TestTimer timer(*loop);
  timer.start_in(1h, [] {});
  EXPECT_GT(loop->poll_timeout(), 59min);
  TestWatcher<Idle> idle(*loop);
  idle.each_turn([] {});
  EXPECT_EQ(loop->poll_timeout(), 0ns) << "an idle handle is active";
  idle.stop();
  loop->stop();
  EXPECT_EQ(loop->poll_timeout(), 0ns) << "stopped";
  loop->run();
  timer.close();
  EXPECT_EQ(loop->poll_timeout(), 0ns) << "a handle is closing";
  loop->run();
  Async async(*loop, [](Async&) {});
  EXPECT_LT(loop->poll_timeout(), 0ns) << "no timer: for ever";
  async.close();
  loop->run();
}

TEST_F(LoopTest, a_watcher_started_in_its_own_phase_waits_and_a_stopped_one_does_not_run) {
  TestWatcher<Check> first(*loop);
  TestWatcher<Check> second(*loop);
  TestWatcher<Check> third(*loop);
  first.each_turn([&] {
    log.push_back("first");
    second.stop();
    third.each_turn(note("third"));
  });
  second.each_turn(note("second"));
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"first"});
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"first", "first", "third"}));
}

TEST_F(LoopTest, a_handle_closed_in_a_close_callback_is_closed_in_the_next_iteration) {
  struct Pair {
    Log* log;
    TestTimer* other;
  };
  TestTimer outer(*loop);
  TestTimer inner(*loop);
  TestWatcher<Idle> idle(*loop);
  Pair pair{&log, &inner};
  outer.data = inner.data = &pair;
  idle.each_turn([&] {
    log.push_back("idle");
    if (log.size() > 3) idle.stop();
  });
  outer.close([](Handle& self) {
    auto& p = *static_cast<Pair*>(self.data);
    p.log->push_back("outer");
    p.other->close([](Handle& h) { static_cast<Pair*>(h.data)->log->push_back("inner"); });
  });
  EXPECT_TRUE(outer.is_closing());
  EXPECT_EQ(log, Log{}) << "never inside close()";
  loop->run();
  EXPECT_EQ(log, (Log{"idle", "outer", "idle", "inner", "idle"}));
}

TEST_F(LoopTest, many_sends_of_an_async_are_at_least_one_callback_and_the_last_is_seen) {
  if (is_simulated()) GTEST_SKIP() << "it sends from a thread";
  static constexpr int kSends = 20'000;
  struct Counter {
    std::atomic<int> sent{0};
    int callbacks = 0;
    std::thread sender;
  } counter;
  Async async(*loop, [](Async& self) {
    auto& c = *static_cast<Counter*>(self.data);
    ++c.callbacks;
    if (c.sent.load() < kSends) return;
    c.sender.join();  // nobody may send after close()
    self.close();
  });
  async.data = &counter;
  counter.sender = std::thread([&] {
    for (int i = 0; i < kSends; ++i) {
      counter.sent.fetch_add(1);
      async.send();
    }
  });
  loop->run();  // ends only because the last send was not lost
  EXPECT_GE(counter.callbacks, 1);
  EXPECT_LE(counter.callbacks, kSends);
}

TEST_F(LoopTest, an_async_sent_in_its_own_callback_runs_again_later) {
  struct State {
    int runs = 0;
    std::uint64_t iteration = 0;
  } state;
  Async async(*loop, [](Async& self) {
    auto& s = *static_cast<State*>(self.data);
    EXPECT_GT(self.loop().iteration(), s.iteration);
    s.iteration = self.loop().iteration();
    if (++s.runs < 3)
      self.send();
    else
      self.close();
  });
  async.data = &state;
  async.send();
  loop->run();
  EXPECT_EQ(state.runs, 3);
}

TEST_F(LoopTest, a_foreign_descriptor_reports_readiness_until_stopped) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  Poll poll(*loop, pipe_fds[0]);
  poll.data = &log;
  ASSERT_TRUE(poll.start(EPOLLIN, [](Poll& self, std::uint32_t events) {
    auto& l = *static_cast<Log*>(self.data);
    l.push_back(events & EPOLLIN ? "in" : "hangup");
    char byte;
    if (::read(self.fd(), &byte, 1) == 0) self.close();
  }));
  ASSERT_EQ(::write(pipe_fds[1], "ab", 2), 2);
  ::close(pipe_fds[1]);
  loop->run();
  EXPECT_EQ(log, (Log{"in", "in", "hangup"}));
  ::close(pipe_fds[0]);
  EXPECT_EQ(name_of(Poll(*loop, -1).start(EPOLLIN, [](Poll&, std::uint32_t) {}).error()), "EBADF");
}

TEST_F(LoopTest, a_signal_is_a_callback_and_never_runs_inside_raise) {
  Signal signal(*loop);
  signal.data = &log;
  ASSERT_TRUE(signal.start(SIGUSR1, [](Signal& self, int number) {
    static_cast<Log*>(self.data)->push_back(number == SIGUSR1 ? "signal" : "other");
    self.close();
  }));
  kill(getpid(), SIGUSR1);
  log.push_back("raised");
  loop->run();
  EXPECT_EQ(log, (Log{"raised", "signal"}));
}

TEST_F(LoopTest, a_signal_runs_behind_the_other_events_of_its_batch) {
  Signal signal(*loop);
  signal.data = &log;
  ASSERT_TRUE(signal.start(SIGUSR2, [](Signal& self, int) {
    static_cast<Log*>(self.data)->push_back("signal");
    self.close();
  }));
  Async async(*loop, [](Async& self) {
    static_cast<Log*>(self.data)->push_back("async");
    self.close();
  });
  async.data = &log;
  kill(getpid(), SIGUSR2);  // ready before the other one
  async.send();
  loop->run();
  EXPECT_EQ(log, (Log{"async", "signal"}));
}

}  // namespace
}  // namespace refloop::loop_test
