#include "reference-loop/message_port.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <gtest/gtest.h>
#include <optional>
#include <thread>

#include "reference-loop/limits.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::message_port_test {
namespace {

using namespace std::chrono_literals;

Message text_message(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return Message({bytes.begin(), bytes.end()});
}

std::string text_of(const Message& message) {
  return {reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
}

// A port whose callbacks are closures.
struct TestPort : MessagePort {
  using MessagePort::MessagePort;
  std::function<void(Message)> on_message;
  std::function<void()> on_end;

  TestPort& start_with(std::function<void(Message)> message, std::function<void()> end = {}) {
    on_message = std::move(message);
    on_end = std::move(end);
    const auto started =
        start([](MessagePort& self,
                 Message arrived) { static_cast<TestPort&>(self).on_message(std::move(arrived)); },
              [](MessagePort& self) {
                auto& port = static_cast<TestPort&>(self);
                if (port.on_end) port.on_end();
              });
    EXPECT_TRUE(started);
    return *this;
  }
};

// Two ports on one loop.
struct MessagePortTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  std::optional<TestPort> near;
  std::optional<TestPort> far;

  void SetUp() override {
    auto [a, b] = make_port_pair();
    near.emplace(*loop, std::move(a));
    far.emplace(*loop, std::move(b));
  }
  void TearDown() override {
    if (!near->is_closing()) near->close();
    if (!far->is_closing()) far->close();
    EXPECT_FALSE(loop->run());
  }
  void note_at_far() {
    far->start_with([this](Message message) { log.push_back(text_of(message)); },
                    [this] {
                      log.push_back("end");
                      far->close();
                    });
  }
};

TEST_F(MessagePortTest, messages_arrive_in_order_in_the_poll_phase_and_never_inside_post) {
  note_at_far();
  for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(near->post(text_message(text)));
  EXPECT_EQ(log, Log{});
  loop->run(RunMode::once);
  EXPECT_EQ(log, (Log{"a", "b", "c"}));
}

TEST_F(MessagePortTest, what_is_posted_before_start_waits_for_it) {
  EXPECT_TRUE(near->post(text_message("early")));
  EXPECT_FALSE(loop->run()) << "a port that was not started keeps no loop alive";
  note_at_far();
  loop->run(RunMode::once);
  EXPECT_EQ(log, Log{"early"});
  EXPECT_EQ(far->start([](MessagePort&, Message) {}, nullptr).error(), Error::bad_state) << "twice";
}

TEST_F(MessagePortTest, ticks_and_microtasks_run_between_two_messages) {
  NodeLayer node(*loop);
  far->start_with([&](Message message) {
    log.push_back(text_of(message));
    node.queue_microtask([&] { log.push_back("microtask"); });
    node.next_tick([&] { log.push_back("tick"); });
  });
  EXPECT_TRUE(near->post(text_message("a")));
  EXPECT_TRUE(near->post(text_message("b")));
  loop->run(RunMode::once);
  EXPECT_EQ(log, (Log{"a", "tick", "microtask", "b", "tick", "microtask"}));
}

TEST_F(MessagePortTest, what_was_posted_before_a_close_arrives_before_the_end_and_nothing_after_it) {
  note_at_far();
  EXPECT_TRUE(near->post(text_message("a")));
  EXPECT_TRUE(near->post(text_message("b")));
  near->close([](Handle&) {});
  EXPECT_EQ(near->post(text_message("closed")).error(), Error::bad_state);
  Message refused = text_message("to a closed peer");
  EXPECT_EQ(far->post(std::move(refused)).error(), Error::broken_pipe);
  EXPECT_EQ(text_of(refused), "to a closed peer") << "still the caller's";
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"a", "b", "end"}));
}

TEST_F(MessagePortTest, nothing_is_called_back_after_its_own_close_and_what_waits_is_destroyed) {
  const auto alive = std::make_shared<int>();
  far->start_with([&](Message message) {
    log.push_back(text_of(message));
    far->close();
  });
  EXPECT_TRUE(near->post(text_message("only")));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(near->post(Message::of(alive)));
  EXPECT_EQ(alive.use_count(), 4);
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, Log{"only"});
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(MessagePortTest, a_flood_does_not_starve_a_timer) {
  TestTimer timer(*loop);
  int before_timer = 0;
  bool fired = false;
  timer.start_in(0ns, [&] { fired = true; });
  far->start_with([&](Message) { before_timer += fired ? 0 : 1; });
  for (int i = 0; i < 10 * kMessagesPerTurn; ++i) EXPECT_TRUE(near->post(Message{}));
  loop->run(RunMode::once);
  EXPECT_TRUE(fired);
  EXPECT_EQ(before_timer, kMessagesPerTurn);
}

TEST_F(MessagePortTest, an_endless_conversation_leaves_every_phase_its_turn) {
  int messages = 0;
  TestTimer timer(*loop);
  near->start_with([&](Message message) { EXPECT_TRUE(near->post(std::move(message))); });
  far->start_with([&](Message message) {
    if (++messages == 2) timer.start_in(2ms, [&] { loop->stop(); });  // however late they begin to talk
    EXPECT_TRUE(far->post(std::move(message)));
  });
  EXPECT_TRUE(near->post(Message{}));
  EXPECT_TRUE(loop->run());
  EXPECT_GE(messages, 2);
}

TEST_F(MessagePortTest, only_a_started_and_referenced_port_keeps_the_loop_alive) {
  near->start_with([](Message) {});
  EXPECT_TRUE(loop->alive());
  near->unref();
  EXPECT_FALSE(loop->alive());
  near->ref();
  EXPECT_TRUE(loop->alive());
  EXPECT_TRUE(loop->run(RunMode::nowait)) << "nothing is under way";
  far->close();
  EXPECT_FALSE(loop->run()) << "the end of the peer is the end of the wait";
}

TEST_F(MessagePortTest, values_move_and_are_found_by_their_type) {
  far->start_with([&](Message message) {
    EXPECT_EQ(message.value<int>(), nullptr);
    auto* number = message.value<std::unique_ptr<int>>();
    log.push_back(number ? std::to_string(**number) : "none");
  });
  EXPECT_TRUE(near->post(Message::of(std::make_unique<int>(42))));
  EXPECT_TRUE(near->post(text_message("bytes")));
  loop->run(RunMode::once);
  EXPECT_EQ(log, (Log{"42", "none"}));
}

TEST_F(MessagePortTest, an_end_travels_in_a_message_and_closes_with_it) {
  auto [here, there] = make_port_pair();
  TestPort second(*loop, std::move(here));
  second.start_with([&](Message message) { log.push_back("via second: " + text_of(message)); },
                    [&] { log.push_back("second ended"); });
  std::optional<TestPort> received;
  far->start_with([&](Message message) {
    if (received) return;  // the other end that travels is dropped with its message
    received.emplace(*loop, std::move(*message.value<PortEnd>()));
    EXPECT_TRUE(received->post(text_message("hello")));
    received->close();
  });
  EXPECT_TRUE(near->post(Message::of(std::move(there))));
  auto [third_end, dropped_end] = make_port_pair();
  TestPort third(*loop, std::move(third_end));
  third.start_with([](Message) {}, [&] { log.push_back("third ended"); });
  EXPECT_TRUE(near->post(Message::of(std::move(dropped_end))));
  far->unref();
  EXPECT_FALSE(loop->run());
  std::ranges::sort(log);
  EXPECT_EQ(log, (Log{"second ended", "third ended", "via second: hello"}));
  second.close();
  third.close();
  loop->run();
}

TEST_F(MessagePortTest, the_trace_names_messages_and_the_end) {
  loop->start_trace();
  note_at_far();
  EXPECT_TRUE(near->post(text_message("a")));
  near->close();
  loop->run();
  const auto trace = loop->stop_trace();
  Log kinds;
  for (std::size_t i = 0; i < trace->size(); ++i) {
    if ((*trace)[i].event == Event::begin) kinds.emplace_back(name_of((*trace)[i].kind));
  }
  EXPECT_EQ(kinds, (Log{"message", "port_end", "close", "close"}));
}

// Loops on threads of their own from here on: run under ThreadSanitizer as well.

// A thread with a loop, and in it a port for each end it is given.
struct LoopThread {
  using Program = std::function<void(Loop&, std::vector<PortEnd>)>;
  LoopThread(Program program, std::vector<PortEnd> ends)
      : thread([program = std::move(program), given = std::move(ends)]() mutable {
          const auto loop = make_loop();
          program(*loop, std::move(given));
        }) {}
  std::thread thread;
};

TEST(MessagePortThreadsTest, two_loops_talk_in_order_and_see_what_was_written_before) {
  static constexpr int kRounds = 3000;
  auto [a, b] = make_port_pair();
  int shared = 0;  // not atomic: ordered by the messages alone
  std::vector<PortEnd> ends;
  ends.push_back(std::move(b));
  LoopThread echo(
      [&](Loop& loop, std::vector<PortEnd> given) {
        TestPort port(loop, std::move(given[0]));
        port.start_with(
            [&](Message message) {
              EXPECT_EQ(shared, *message.value<int>());
              ++shared;
              EXPECT_TRUE(port.post(std::move(message)));
            },
            [&] { port.close(); });
        EXPECT_FALSE(loop.run());
      },
      std::move(ends));
  const auto loop = make_loop();
  TestPort port(*loop, std::move(a));
  int round = 0;
  port.start_with([&](Message message) {
    EXPECT_EQ(shared, *message.value<int>() + 1);
    EXPECT_EQ(*message.value<int>(), round);
    if (++round == kRounds) return port.close();
    shared = round;
    EXPECT_TRUE(port.post(Message::of(int{round})));
  });
  EXPECT_TRUE(port.post(Message::of(0)));
  EXPECT_FALSE(loop->run());
  echo.thread.join();
  EXPECT_EQ(round, kRounds);
}

TEST(MessagePortThreadsTest, a_flood_from_another_thread_arrives_complete_and_in_order_before_the_end) {
  static constexpr int kMessages = 50'000;
  auto [a, b] = make_port_pair();
  std::vector<PortEnd> ends;
  ends.push_back(std::move(b));
  LoopThread sender(
      [](Loop& loop, std::vector<PortEnd> given) {
        TestPort port(loop, std::move(given[0]));
        for (int i = 0; i < kMessages; ++i) EXPECT_TRUE(port.post(Message::of(int{i})));
        port.close();
        EXPECT_FALSE(loop.run());
      },
      std::move(ends));
  const auto loop = make_loop();
  TestPort port(*loop, std::move(a));
  int expected = 0;
  port.start_with([&](Message message) { EXPECT_EQ(*message.value<int>(), expected++); },
                  [&] { port.close(); });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(expected, kMessages);
  sender.thread.join();
}

// Every loop has a port to every other one; each posts to all, then closes; each gets all of everybody.
TEST(MessagePortThreadsTest, four_loops_all_to_all_lose_nothing) {
  static constexpr std::size_t kLoops = 4;
  static constexpr int kMessages = 2000;
  std::array<std::vector<PortEnd>, kLoops> ends;
  for (std::size_t i = 0; i < kLoops; ++i) {
    for (std::size_t j = i + 1; j < kLoops; ++j) {
      auto [a, b] = make_port_pair();
      ends[i].push_back(std::move(a));
      ends[j].push_back(std::move(b));
    }
  }
  std::atomic<int> received{0};
  const auto program = [&](Loop& loop, std::vector<PortEnd> given) {
    std::deque<TestPort> ports;
    std::vector<int> next(given.size());
    int posted = 0;
    const auto finish_if_done = [&] {
      const bool has_all = std::ranges::all_of(next, [](int count) { return count == kMessages; });
      if (!has_all || posted < kMessages) return;
      for (TestPort& port : ports) port.close();
    };
    for (std::size_t i = 0; i < given.size(); ++i) {
      TestPort& port = ports.emplace_back(loop, std::move(given[i]));
      port.start_with([&, i](Message message) {
        EXPECT_EQ(*message.value<int>(), next[i]++);
        received.fetch_add(1, std::memory_order_relaxed);
        finish_if_done();
      });
    }
    TestTimer timer(loop);
    std::function<void()> post = [&] {
      for (int i = 0; i < 100; ++i, ++posted) {
        for (TestPort& port : ports) EXPECT_TRUE(port.post(Message::of(int{posted})));
      }
      if (posted < kMessages) timer.start_in(0ns, [&] { post(); });
      finish_if_done();
    };
    timer.start_in(0ns, [&] { post(); });
    EXPECT_FALSE(loop.run());
  };
  std::deque<LoopThread> threads;
  for (auto& own : ends) threads.emplace_back(program, std::move(own));
  for (LoopThread& thread : threads) thread.thread.join();
  EXPECT_EQ(received, static_cast<int>(kLoops * (kLoops - 1)) * kMessages);
}

TEST(MessagePortThreadsTest, closing_both_ends_at_once_is_harmless) {
  for (int i = 0; i < 200; ++i) {
    auto [a, b] = make_port_pair();
    std::vector<PortEnd> ends;
    ends.push_back(std::move(b));
    LoopThread other(
        [](Loop& loop, std::vector<PortEnd> given) {
          TestPort port(loop, std::move(given[0]));
          port.start_with([](Message) {});
          (void)port.post(Message::of(1));
          port.close();
          EXPECT_FALSE(loop.run());
        },
        std::move(ends));
    const auto loop = make_loop();
    TestPort port(*loop, std::move(a));
    port.start_with([](Message) {});
    (void)port.post(Message::of(2));
    port.close();
    EXPECT_FALSE(loop->run());
    other.thread.join();
  }
}

}  // namespace
}  // namespace refloop::message_port_test
