#include "reference-loop/signal.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::signal_test {
namespace {

using namespace std::chrono_literals;

struct NotedSignal : Signal {
  NotedSignal(Loop& loop, Log& shared_log, std::string signal_name)
      : Signal(loop), log(shared_log), name(std::move(signal_name)) {}
  Log& log;
  std::string name;
  std::function<void()> on_signal;
  static void callback(Signal& self, int) {
    auto& noted = static_cast<NotedSignal&>(self);
    noted.log.push_back(noted.name);
    if (noted.on_signal) noted.on_signal();
  }
};

struct SignalTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  NotedSignal first{*loop, log, "first"};
  NotedSignal second{*loop, log, "second"};
  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  }
  void TearDown() override {
    for (Signal* signal : {static_cast<Signal*>(&first), static_cast<Signal*>(&second)}) {
      if (!signal->is_closing()) signal->close();
    }
    EXPECT_FALSE(loop->run());
  }
};

void (*disposition_of(int number))(int) {
  struct sigaction now;
  sigaction(number, nullptr, &now);
  return now.sa_handler;
}

TEST_F(SignalTest, every_watcher_of_a_signal_is_called_back_and_only_of_that_signal) {
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  ASSERT_TRUE(second.start(SIGUSR1, NotedSignal::callback));
  NotedSignal other(*loop, log, "other");
  ASSERT_TRUE(other.start(SIGUSR2, NotedSignal::callback));
  raise(SIGUSR1);
  EXPECT_EQ(log, Log{}) << "never inside raise()";
  loop->run(RunMode::once);
  std::ranges::sort(log);  // between the two no order is promised
  EXPECT_EQ(log, (Log{"first", "second"}));
  other.close();
  loop->run(RunMode::nowait);
}

TEST_F(SignalTest, raised_many_times_before_the_loop_looks_it_is_reported_once) {
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  for (int i = 0; i < 1000; ++i) raise(SIGUSR1);
  loop->run(RunMode::once);
  EXPECT_EQ(log, Log{"first"});
  raise(SIGUSR1);
  loop->run(RunMode::once);
  EXPECT_EQ(log, (Log{"first", "first"}));
}

TEST_F(SignalTest, one_shot_fires_once_and_may_be_started_again_in_its_callback) {
  const auto before = disposition_of(SIGUSR1);
  ASSERT_TRUE(first.start_once(SIGUSR1, NotedSignal::callback));
  first.on_signal = [&] {
    EXPECT_FALSE(first.is_active());
    if (log.size() == 1) {
      EXPECT_TRUE(first.start_once(SIGUSR1, NotedSignal::callback));
    }
  };
  raise(SIGUSR1);
  loop->run(RunMode::once);
  EXPECT_EQ(log, Log{"first"});
  raise(SIGUSR1);
  EXPECT_FALSE(loop->run()) << "stopped, it no longer keeps the loop alive";
  EXPECT_EQ(log, (Log{"first", "first"}));
  EXPECT_EQ(disposition_of(SIGUSR1), before);
}

TEST_F(SignalTest, the_last_stop_puts_back_what_the_signal_did_before) {
  static int handled;
  handled = 0;
  signal(SIGUSR1, [](int) { ++handled; });
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  ASSERT_TRUE(second.start(SIGUSR1, NotedSignal::callback));
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGUSR1)) << "the mask is left alone";
  raise(SIGUSR1);
  EXPECT_EQ(handled, 0);
  first.stop();
  raise(SIGUSR1);
  EXPECT_EQ(handled, 0) << "the second still watches";
  second.stop();
  raise(SIGUSR1);
  EXPECT_EQ(handled, 1);
  signal(SIGUSR1, SIG_DFL);
}

TEST_F(SignalTest, what_was_caught_before_stop_or_close_is_dropped_and_close_does_not_wait_for_it) {
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  ASSERT_TRUE(second.start(SIGUSR1, NotedSignal::callback));
  raise(SIGUSR1);
  first.stop();
  second.close([](Handle& self) { static_cast<NotedSignal&>(self).log.push_back("closed"); });
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback)) << "a new life, which has caught nothing yet";
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"closed"});
}

TEST_F(SignalTest, a_watcher_closed_or_started_by_another_one_hears_nothing_of_this_signal) {
  NotedSignal third(*loop, log, "third");
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  ASSERT_TRUE(second.start(SIGUSR1, NotedSignal::callback));
  first.on_signal = [&] {
    second.stop();
    EXPECT_TRUE(third.start(SIGUSR1, NotedSignal::callback));
  };
  raise(SIGUSR1);
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"first"});
  third.close();
  loop->run(RunMode::nowait);
}

TEST_F(SignalTest, loops_in_their_own_threads_each_hear_of_it) {
  constexpr int kLoops = 4;
  std::atomic<int> ready{0};
  std::atomic<int> heard{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&] {
      const auto own = make_loop();
      Signal watcher(*own);
      watcher.data = &heard;
      ASSERT_TRUE(watcher.start_once(SIGUSR1, [](Signal& self, int) {
        ++*static_cast<std::atomic<int>*>(self.data);
        self.close();
      }));
      ++ready;
      own->run();
    });
  }
  while (ready < kLoops) std::this_thread::yield();
  kill(getpid(), SIGUSR1);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard, kLoops);
}

TEST_F(SignalTest, loops_come_and_go_while_signals_arrive) {
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  std::atomic<bool> done{false};
  std::thread raiser([&] {
    while (!done) kill(getpid(), SIGUSR1);
  });
  for (int i = 0; i < 50; ++i) {
    const auto own = make_loop();
    Signal watcher(*own);
    ASSERT_TRUE(watcher.start(SIGUSR1, [](Signal& self, int) { self.close(); }));
    own->run();
  }
  done = true;
  raiser.join();
}

TEST_F(SignalTest, what_cannot_be_caught_is_refused) {
  for (const int number : {0, -1, 65, SIGKILL, SIGSTOP}) {
    EXPECT_EQ(first.start(number, NotedSignal::callback).error(), Error::bad_state) << number;
    EXPECT_FALSE(first.is_active());
  }
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  EXPECT_EQ(first.start(SIGUSR2, NotedSignal::callback).error(), Error::bad_state);
}

TEST_F(SignalTest, an_unreferenced_watcher_lets_the_loop_end) {
  ASSERT_TRUE(first.start(SIGUSR1, NotedSignal::callback));
  EXPECT_TRUE(loop->alive());
  first.unref();
  EXPECT_FALSE(loop->run());
}

}  // namespace
}  // namespace refloop::signal_test
