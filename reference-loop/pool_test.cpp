#include "reference-loop/pool.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::pool_test {
namespace {

struct PoolTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 1});
  Log log;
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();

  // Occupies the only thread until `gate` opens, and waits until it does.
  void occupy() {
    std::promise<void> running;
    auto is_running = running.get_future();
    loop->pool().submit(
        [&running, this] {
          running.set_value();
          opened.wait();
        },
        [this](Error error) { log.push_back("occupier " + std::string(name_of(error))); });
    is_running.wait();
  }
  Work& submit(std::string label) {
    return loop->pool().submit(
        [] {}, [this, label](Error error) { log.push_back(label + " " + std::string(name_of(error))); });
  }
};

TEST_F(PoolTest, one_thread_completes_in_the_order_of_submission_on_the_loop_thread) {
  if (is_simulated()) GTEST_SKIP() << "it looks at real threads";
  const auto loop_thread = std::this_thread::get_id();
  for (const char* label : {"a", "b", "c"}) {
    loop->pool().submit([loop_thread] { EXPECT_NE(std::this_thread::get_id(), loop_thread); },
                        [this, label, loop_thread](Error) {
                          EXPECT_EQ(std::this_thread::get_id(), loop_thread);
                          EXPECT_EQ(loop->phase(), Phase::poll);
                          log.push_back(label);
                        });
  }
  EXPECT_EQ(log, Log{});
  EXPECT_TRUE(loop->alive());
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"a", "b", "c"}));
}

TEST_F(PoolTest, cancel_ends_waiting_work_later_and_once_and_refuses_running_work) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  occupy();
  bool ran = false;
  Work& waiting = loop->pool().submit(
      [&] { ran = true; }, [this](Error error) { log.push_back("waiting " + std::string(name_of(error))); });
  submit("next");
  EXPECT_TRUE(loop->pool().cancel(waiting));
  EXPECT_EQ(loop->pool().cancel(waiting).error(), Error::busy) << "it was cancelled already";
  EXPECT_EQ(log, Log{}) << "never inside cancel()";
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"waiting ECANCELED"}) << "overtakes what still runs";
  gate.set_value();
  EXPECT_FALSE(loop->run());
  EXPECT_FALSE(ran);
  EXPECT_EQ(log, (Log{"waiting ECANCELED", "occupier OK", "next OK"}));
}

TEST_F(PoolTest, running_and_finished_work_cannot_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  struct Gated : UserWork {
    std::promise<void> started;
    std::shared_future<void> opened;
    Log* log = nullptr;
  } work;
  work.opened = opened;
  work.log = &log;
  loop->pool().submit(
      work,
      [](Work& self) {
        static_cast<Gated&>(self).started.set_value();
        static_cast<Gated&>(self).opened.wait();
      },
      [](Work& self, Error error) { static_cast<Gated&>(self).log->push_back(std::string(name_of(error))); });
  work.started.get_future().wait();
  EXPECT_EQ(loop->pool().cancel(work).error(), Error::busy) << "running";
  gate.set_value();
  loop->run();
  EXPECT_EQ(log, Log{"OK"});
  EXPECT_EQ(loop->pool().cancel(work).error(), Error::busy) << "finished";
}

TEST_F(PoolTest, many_threads_complete_everything_exactly_once) {
  auto wide = make_loop({.pool_size = 8});
  std::vector<int> completions(5000);
  for (int& count : completions) wide->pool().submit([] {}, [&count](Error) { ++count; });
  EXPECT_FALSE(wide->run());
  EXPECT_EQ(completions, std::vector<int>(5000, 1));
}

TEST_F(PoolTest, work_submitted_by_a_completion_keeps_the_loop_alive) {
  int left = 100;
  std::function<void()> next = [&] {
    loop->pool().submit([] {},
                        [&](Error) {
                          if (--left > 0) next();
                        });
  };
  next();
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(left, 0);
}

// Slow I/O behind gates, on four threads.
struct SlowIoTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 4});
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::atomic<int> slow_started{0};

  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "it blocks real threads";
  }
  Work& submit_slow() {
    return loop->pool().submit(
        [this] {
          ++slow_started;
          opened.wait();
        },
        nullptr, 0, WorkClass::slow_io);
  }
};

TEST_F(SlowIoTest, occupies_at_most_half_of_the_threads_while_other_work_overtakes_it) {
  EXPECT_EQ(loop->pool().slow_io_max(), 2u);
  for (int i = 0; i < 8; ++i) submit_slow();
  int others = 0;
  for (const WorkClass other : {WorkClass::cpu, WorkClass::fast_io, WorkClass::cpu, WorkClass::fast_io})
    loop->pool().submit([] {}, [&](Error) { ++others; }, 0, other);
  while (others < 4) loop->run(RunMode::once);  // hangs here if slow I/O takes all threads
  EXPECT_LE(slow_started, 2);
  gate.set_value();
  loop->run();
  EXPECT_EQ(slow_started, 8);
}

TEST_F(SlowIoTest, that_stepped_aside_can_be_canceled) {
  std::vector<Work*> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(&submit_slow());
  while (slow_started < 2) std::this_thread::yield();
  EXPECT_TRUE(loop->pool().cancel(*slow[2]));
  EXPECT_EQ(loop->pool().cancel(*slow[0]).error(), Error::busy);
  gate.set_value();
  loop->run();
  EXPECT_EQ(slow_started, 3);
}

TEST_F(PoolTest, with_one_thread_work_of_all_classes_is_started_in_the_order_of_submission) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  EXPECT_EQ(loop->pool().slow_io_max(), 1u);
  Log started;
  const auto submit_as = [&](const char* label, WorkClass work_class) {
    loop->pool().submit([&started, label] { started.push_back(label); }, nullptr, 0, work_class);
  };
  occupy();
  submit_as("slow 1", WorkClass::slow_io);
  submit_as("cpu 1", WorkClass::cpu);
  submit_as("slow 2", WorkClass::slow_io);
  submit_as("fast", WorkClass::fast_io);
  submit_as("cpu 2", WorkClass::cpu);
  gate.set_value();
  loop->run();
  EXPECT_EQ(started, (Log{"slow 1", "cpu 1", "slow 2", "fast", "cpu 2"}));
}

TEST_F(PoolTest, threads_are_created_as_work_needs_them) {
  if (is_simulated()) GTEST_SKIP() << "it needs real threads";
  auto wide = make_loop({.pool_size = 1024});
  EXPECT_EQ(wide->pool().threads(), 0u);
  for (int i = 0; i < 3; ++i) {
    wide->pool().submit([] {}, nullptr);
    wide->run();
  }
  EXPECT_EQ(wide->pool().threads(), 1u);
  for (int i = 0; i < 3; ++i) wide->pool().submit([this] { opened.wait(); }, nullptr);
  EXPECT_EQ(wide->pool().threads(), 3u);
  gate.set_value();
  wide->run();
}

TEST_F(PoolTest, as_many_works_run_at_once_as_there_are_threads) {
  if (is_simulated()) GTEST_SKIP() << "it needs real threads";
  auto wide = make_loop({.pool_size = 4});
  std::latch all_running(4);
  for (int i = 0; i < 4; ++i) wide->pool().submit([&] { all_running.arrive_and_wait(); }, nullptr);
  wide->run();  // hangs here if one thread has to do the work of two
}

TEST(PoolSize, is_1_to_1024) {
  EXPECT_EQ(Loop::create({.pool_size = 0}).error(), Error::bad_state);
  EXPECT_EQ(Loop::create({.pool_size = 1025}).error(), Error::bad_state);
  EXPECT_EQ(make_loop()->pool().size(), 4u);
}

// A batch is what had finished when it was taken: the loop goes on although work never ends.
TEST_F(PoolTest, completions_that_submit_again_do_not_starve_the_other_phases) {
  TestTimer timer(*loop);
  TestWatcher<Check> check(*loop);
  bool stopped = false;
  int checks = 0;
  std::function<void(Error)> again = [&](Error) {
    if (!stopped) loop->pool().submit([] {}, [&](Error error) { again(error); });
  };
  for (int i = 0; i < 100; ++i) again(Error::none);
  check.each_turn([&] {
    if (++checks == 20) timer.start_in(Nanos{0}, [&] { stopped = true; });
  });
  while (!stopped) loop->run(RunMode::once);
  check.stop();
  loop->run();
  EXPECT_GE(checks, 20);
}

TEST_F(PoolTest, a_request_that_needs_no_thread_completes_in_a_later_poll_phase) {
  UserWork work;
  work.data = this;
  loop->pool().submit_finished(
      work,
      [](Work& self, Error error) {
        auto* test = static_cast<PoolTest*>(self.data);
        EXPECT_EQ(test->loop->phase(), Phase::poll);
        test->log.push_back(std::string(name_of(error)));
      },
      Error::too_large);
  EXPECT_EQ(log, Log{});
  EXPECT_TRUE(work.is_outstanding());
  loop->run();
  EXPECT_EQ(log, Log{"EFBIG"});
  EXPECT_FALSE(work.is_outstanding());
  EXPECT_EQ(loop->pool().threads(), 0u);
}

}  // namespace
}  // namespace refloop::pool_test
