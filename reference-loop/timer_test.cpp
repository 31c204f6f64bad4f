#include "reference-loop/timer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <random>

#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::timer_test {
namespace {

using namespace std::chrono_literals;

struct TimerTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  std::function<void()> note(const char* label) {
    return [this, label] { log.push_back(label); };
  }
};

TEST_F(TimerTest, fires_by_due_time_then_by_order_of_starting) {
  TestTimer a(*loop), b(*loop), c(*loop), d(*loop);
  a.start_in(2ms, note("a"));
  b.start_in(1ms, note("b"));
  c.start_in(2ms, note("c"));
  d.start_in(1ms, note("d"));
  a.start_in(2ms, note("a"));  // restarted: behind c
  busy_for(*loop, 3ms);
  loop->run();
  EXPECT_EQ(log, (Log{"b", "d", "c", "a"}));
}

TEST_F(TimerTest, the_due_time_counts_from_the_cached_clock) {
  TestTimer slow(*loop), quick(*loop);
  slow.start_in(20ms, note("slow"));
  spin_for(*loop, 15ms);
  quick.start_in(10ms, note("quick"));  // the loop's time has not moved: due before slow
  EXPECT_EQ(quick.due() - slow.due(), -10ms);
  loop->run();
  EXPECT_EQ(log, (Log{"quick", "slow"}));
}

TEST_F(TimerTest, never_fires_early) {
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 0; i < 50; ++i) {
    timers.push_back(std::make_unique<TestTimer>(*loop));
    TestTimer& timer = *timers.back();
    timer.start_in(Nanos{i * 137'731}, [&] { EXPECT_GE(loop->read_clock(), timer.due()); });
  }
  loop->run();
}

TEST_F(TimerTest, one_started_in_a_timer_callback_waits_for_the_next_pass_even_if_due) {
  TestTimer timer(*loop);
  TestWatcher<Idle> idle(*loop);
  idle.each_turn(note("idle"));
  std::function<void()> again = [&] {
    log.push_back("timer");
    if (log.size() < 5)
      timer.start_in(0ns, again);
    else
      idle.stop();
  };
  timer.start_in(0ns, again);
  loop->run();
  EXPECT_EQ(log, (Log{"timer", "idle", "timer", "idle", "timer"}));
}

TEST_F(TimerTest, a_due_sibling_that_is_stopped_closed_or_restarted_does_not_fire_in_this_pass) {
  TestTimer first(*loop), stopped(*loop), closed(*loop), restarted(*loop), last(*loop);
  TestWatcher<Idle> idle(*loop);
  idle.each_turn([&] {
    log.push_back("idle");
    idle.stop();
  });
  first.start_in(0ns, [&] {
    log.push_back("first");
    stopped.stop();
    closed.close();
    restarted.start_in(0ns, note("restarted"));
  });
  stopped.start_in(0ns, note("stopped"));
  closed.start_in(0ns, note("closed"));
  restarted.start_in(0ns, note("restarted"));
  last.start_in(0ns, note("last"));
  loop->run();
  EXPECT_EQ(log, (Log{"first", "last", "idle", "restarted"}));
}

TEST_F(TimerTest, repeats_from_the_time_of_its_pass_without_bursts) {
  TestTimer timer(*loop);
  std::vector<Nanos> times;
  timer.start_in(
      1ms,
      [&] {
        times.push_back(loop->now());
        EXPECT_EQ(timer.due(), loop->now() + timer.repeat()) << "re-armed before the callback";
        spin_for(*loop, 5ms);  // late for several periods
        if (times.size() == 3) timer.stop();
      },
      1ms);
  loop->run();
  ASSERT_EQ(times.size(), 3u);
  EXPECT_GE(times[1] - times[0], 5ms);
  EXPECT_GE(times[2] - times[1], 5ms);
}

TEST_F(TimerTest, again_needs_a_start_and_goes_behind_its_equals) {
  TestTimer a(*loop), b(*loop);
  EXPECT_EQ(a.again().error(), Error::bad_state);
  a.start_in(
      1ms,
      [&] {
        log.push_back("a");
        a.stop();
      },
      1ms);
  b.start_in(1ms, note("b"));
  EXPECT_TRUE(a.again());
  loop->run();
  EXPECT_EQ(log, (Log{"b", "a"}));
}

TEST_F(TimerTest, a_repeating_timer_fires_at_most_once_per_run_once) {
  TestTimer timer(*loop);
  timer.start_in(1ms, note("timer"), 1ms);
  busy_for(*loop, 5ms);
  loop->run(RunMode::once);
  EXPECT_EQ(log, Log{"timer"});
  timer.stop();
}

TEST_F(TimerTest, an_endless_timeout_saturates) {
  TestTimer timer(*loop);
  timer.start_in(Nanos::max(), [] {});
  EXPECT_EQ(timer.due(), Nanos::max());
}

// The heap against the definition: whatever is started and stopped, the rest fires sorted.
TEST_F(TimerTest, thousands_of_random_timers_fire_in_order) {
  std::mt19937 random(7);
  constexpr std::size_t kTimers = 3000;
  std::vector<std::unique_ptr<TestTimer>> timers;
  std::vector<std::pair<Nanos, std::size_t>> fired;
  for (std::size_t i = 0; i < kTimers; ++i) {
    timers.push_back(std::make_unique<TestTimer>(*loop));
    TestTimer& timer = *timers[i];
    timer.start_in(Nanos{random() % 500 * 1000}, [&fired, &timer, i] { fired.push_back({timer.due(), i}); });
  }
  std::vector<bool> stopped(kTimers);
  for (std::size_t n = 0; n < kTimers / 3; ++n) {
    const std::size_t i = random() % kTimers;
    timers[i]->stop();
    stopped[i] = true;
  }
  busy_for(*loop, 1ms);
  loop->run();
  EXPECT_TRUE(std::ranges::is_sorted(fired));
  EXPECT_EQ(fired.size(), static_cast<std::size_t>(std::ranges::count(stopped, false)));
}

}  // namespace
}  // namespace refloop::timer_test
