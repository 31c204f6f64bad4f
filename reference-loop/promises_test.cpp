// What the model promises and no other test covers: liveness, progress, the clock,
// phases as a whole, the edges of closing. One test, one rule.
#include <deque>
#include <gtest/gtest.h>

#include "reference-loop/async.h"
#include "reference-loop/pipe.h"
#include "reference-loop/poll.h"
#include "reference-loop/pool.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::promises_test {
namespace {

using namespace std::chrono_literals;

struct PromisesTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  std::function<void()> note(const char* label) {
    return [this, label] { log.push_back(label); };
  }
};

TEST_F(PromisesTest, run_once_waits_until_something_happens_or_its_timer_is_due) {
  TestTimer timer(*loop);
  timer.start_in(2ms, note("timer"));
  EXPECT_FALSE(loop->run(RunMode::once)) << "one call is enough";
  EXPECT_EQ(log, Log{"timer"});
}

TEST_F(PromisesTest, run_once_does_not_wait_when_idle_or_pending_callbacks_were_its_progress) {
  TestTimer never(*loop);
  never.start_in(1h, [] {});
  TestWatcher<Idle> idle(*loop);
  idle.each_turn([&] {
    log.push_back("idle");
    idle.stop();  // what is sampled is what was there when the iteration began
  });
  EXPECT_TRUE(loop->run(RunMode::once));
  EXPECT_EQ(log, Log{"idle"});
}

TEST_F(PromisesTest, run_says_whether_anything_is_left) {
  EXPECT_FALSE(loop->run()) << "nothing ever was";
  TestTimer timer(*loop);
  timer.start_in(1h, [] {});
  EXPECT_TRUE(loop->run(RunMode::nowait));
  loop->stop();
  EXPECT_TRUE(loop->run()) << "stopped, and alive";
  timer.stop();
  EXPECT_FALSE(loop->run());
}

TEST_F(PromisesTest, an_outstanding_request_and_a_closing_handle_keep_it_alive_an_inactive_handle_does_not) {
  TestTimer timer(*loop);
  EXPECT_FALSE(loop->alive());
  timer.close([](Handle&) {});
  EXPECT_TRUE(loop->alive());
  loop->run();
  UserWork work;
  work.data = &log;
  loop->pool().submit(
      work, [](Work&) {}, [](Work& self, Error) { static_cast<Log*>(self.data)->push_back("work"); });
  EXPECT_TRUE(loop->alive());
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"work"});
}

TEST_F(PromisesTest, a_closing_unreferenced_handle_gets_its_callback_before_run_returns) {
  TestTimer timer(*loop);
  timer.data = &log;
  timer.unref();
  timer.close([](Handle& self) { static_cast<Log*>(self.data)->push_back("closed"); });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"closed"});
}

TEST_F(PromisesTest, work_made_by_the_last_timer_is_seen_because_liveness_is_sampled_at_the_end) {
  TestTimer timer(*loop);
  TestWatcher<Idle> idle(*loop);
  timer.start_in(1ms, [&] {
    log.push_back("timer");
    idle.each_turn([&] {
      log.push_back("idle");
      idle.stop();
    });
  });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"timer", "idle"}));
}

TEST_F(PromisesTest, the_clock_stands_still_within_a_phase_and_never_goes_back) {
  TestTimer first(*loop);
  TestTimer second(*loop);
  Nanos seen{};
  first.start_in(0ns, [&] {
    seen = loop->now();
    const Nanos end = read_clock() + 1ms;
    while (!is_simulated() && read_clock() < end) {
    }
    EXPECT_EQ(loop->now(), seen);
  });
  second.start_in(0ns, [&] {
    EXPECT_EQ(loop->now(), seen) << "a timer that is late makes no other one due in this pass";
    loop->update_time();
    EXPECT_GE(loop->now(), seen);
    if (!is_simulated()) {
      EXPECT_GE(loop->now(), seen + 1ms);
    }
  });
  loop->run();
}

TEST_F(PromisesTest, each_watcher_runs_once_per_iteration_also_when_poll_has_nothing) {
  TestWatcher<Prepare> prepare(*loop);
  TestWatcher<Check> first(*loop);
  TestWatcher<Check> second(*loop);
  prepare.each_turn(note("prepare"));
  first.each_turn(note("first"));
  second.each_turn(note("second"));
  for (int turn = 0; turn < 3; ++turn) {
    log.clear();
    loop->run(RunMode::nowait);
    EXPECT_EQ(log, (Log{"prepare", "first", "second"}));
  }
}

TEST_F(PromisesTest, all_check_callbacks_precede_the_close_callback_of_a_handle_that_one_of_them_closed) {
  TestWatcher<Check> closes(*loop);
  TestWatcher<Check> other(*loop);
  closes.data = &log;
  closes.each_turn([&] {
    log.push_back("closes");
    closes.close([](Handle& self) { static_cast<Log*>(self.data)->push_back("closed"); });
  });
  other.each_turn(note("other"));
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"closes", "other", "closed"}));
}

TEST_F(PromisesTest, a_handle_closed_before_the_closing_phase_is_closed_in_the_same_iteration) {
  TestWatcher<Idle> idle(*loop);
  TestWatcher<Prepare> prepare(*loop);
  TestTimer timer(*loop);
  std::uint64_t asked = 0;
  static std::uint64_t answered;
  answered = 0;
  const auto close_noting = [&](Handle& handle) {
    asked = loop->iteration();
    handle.close([](Handle& self) { answered = self.loop().iteration(); });
  };
  idle.each_turn([&] { close_noting(idle); });
  loop->run(RunMode::nowait);
  EXPECT_EQ(answered, asked);
  prepare.each_turn([&] { close_noting(prepare); });
  loop->run(RunMode::nowait);
  EXPECT_EQ(answered, asked);
  timer.start_in(0ns, [&] { close_noting(timer); });
  loop->run(RunMode::nowait);
  EXPECT_LT(answered, asked) << "closed in timers, behind the closing phase: in the next";
  loop->run(RunMode::nowait);
  EXPECT_EQ(answered, asked + 1);
}

TEST_F(PromisesTest, an_async_that_was_sent_and_closed_is_not_called_back) {
  Async async(*loop, [](Async& self) { static_cast<Log*>(self.data)->push_back("async"); });
  async.data = &log;
  async.send();
  async.close([](Handle& self) { static_cast<Log*>(self.data)->push_back("closed"); });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"closed"});
}

TEST_F(PromisesTest, a_thousand_sends_before_the_loop_looks_are_one_callback) {
  Async async(*loop, [](Async& self) { static_cast<Log*>(self.data)->push_back("async"); });
  async.data = &log;
  for (int i = 0; i < 1'000; ++i) async.send();
  loop->run(RunMode::nowait);
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"async"});
  async.close();
  loop->run();
}

TEST_F(PromisesTest, an_endless_writer_does_not_keep_check_and_timers_waiting) {
  if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  auto [ours, theirs] = Pipe::make_pair().value();
  Pipe pipe(*loop);
  ASSERT_TRUE(pipe.adopt(std::move(ours)));
  static WriteRequest::Callback again;
  again = [](WriteRequest& self, Error error) {
    if (error == Error::none) (void)self.stream()->write(self, as_bytes("x"), again);
  };
  PlainWrite write;
  ASSERT_TRUE(pipe.write(write, as_bytes("x"), again));
  TestTimer timer(*loop);
  TestWatcher<Check> check(*loop);
  check.each_turn(note("check"));
  timer.start_in(0ns, note("timer"));
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"check", "timer"}));
  check.stop();
  pipe.close();
  loop->run();
}

// More ready descriptors than one batch holds: all are served in this iteration, each once.
TEST_F(PromisesTest, a_full_batch_is_followed_by_another_and_nobody_is_served_twice) {
  if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  struct Ready : Poll {
    Ready(Loop& its_loop, Socket end) : Poll(its_loop, end.fd()), owned(std::move(end)) {}
    Socket owned;
    int times = 0;
  };
  constexpr std::size_t kReady = 1'500;
  std::deque<Ready> all;
  for (std::size_t i = 0; i < kReady / 2; ++i) {
    auto [a, b] = Pipe::make_pair().value();
    for (Socket* end : {&a, &b}) {
      Ready& one = all.emplace_back(*loop, std::move(*end));
      // One shot: level-triggered, a descriptor may be in the next batch again.
      ASSERT_TRUE(one.start(EPOLLOUT, [](Poll& poll, std::uint32_t) {
        ++static_cast<Ready&>(poll).times;
        poll.stop();
      }));
    }
  }
  loop->run(RunMode::nowait);
  std::size_t served = 0;
  for (Ready& one : all) {
    EXPECT_LE(one.times, 1);
    served += static_cast<std::size_t>(one.times);
    one.close();
  }
  EXPECT_EQ(served, kReady);
  loop->run();
}

}  // namespace
}  // namespace refloop::promises_test
