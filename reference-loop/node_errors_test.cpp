// Where the rest runs when a callback fails. Every list is what Node 20, 22, 24 and 26 print for the same
// program, except where a version is named.
#include "reference-loop/node_test.h"
#include "reference-loop/pool.h"

namespace refloop::node_errors_test {
namespace {

struct NodeErrorTest : NodeTest {
  NodeErrorTest() { catch_errors(); }
};

// The same program under each profile.
struct NodeErrorVersionTest : NodeTest, ::testing::WithParamInterface<NodeVersion> {
  NodeErrorVersionTest() : NodeTest(GetParam()) { catch_errors(); }
  bool is_26() const { return GetParam() == NodeVersion::node26; }
};
INSTANTIATE_TEST_SUITE_P(Versions, NodeErrorVersionTest,
                         ::testing::Values(NodeVersion::node20, NodeVersion::node22, NodeVersion::node24,
                                           NodeVersion::node26));

TEST_F(NodeErrorTest, a_failed_main_is_drained_before_anything_else) {
  EXPECT_EQ(run([&] {
              node.set_timeout(note("timeout"), 1);
              node.set_immediate(note("immediate"));
              node.next_tick(note("tick"));
              node.queue_microtask(note("microtask"));
              busy_for(*loop, 3ms);
              node.throw_error(std::string("main"));
            }),
            (Log{"!main", "tick", "microtask", "timeout", "immediate"}));
}

TEST_F(NodeErrorTest, the_ticks_behind_a_failed_tick_of_main_run_after_the_first_callback_of_the_loop) {
  EXPECT_EQ(run([&] {
              node.set_timeout([&] { note("timeout 1")(), node.next_tick(note("t3")); }, 1);
              node.set_timeout(note("timeout 2"), 1);
              node.next_tick(fail("t1"));
              node.next_tick(note("t2"));
              node.queue_microtask(note("microtask"));
              busy_for(*loop, 3ms);
            }),
            (Log{"t1", "!t1", "timeout 1", "t2", "t3", "microtask", "timeout 2"}));
}

TEST_P(NodeErrorVersionTest, the_ticks_behind_a_failed_tick_run_before_the_immediates_up_to_24) {
  const Log result = run([&] {
    node.next_tick(fail("t1"));
    node.next_tick(note("t2"));
    node.set_immediate(note("I1"));
    node.set_immediate(note("I2"));
  });
  EXPECT_EQ(result, is_26() ? (Log{"t1", "!t1", "I1", "t2", "I2"}) : (Log{"t1", "!t1", "t2", "I1", "I2"}));
}

TEST_P(NodeErrorVersionTest, a_failed_io_callback_is_not_drained_before_the_check_phase) {
  const Log result = run([&] {
    loop->pool().submit([] {},
                        [&](Error) {
                          log.push_back("io");
                          node.next_tick(note("tick"));
                          node.queue_microtask(note("microtask"));
                          node.set_immediate(note("I1"));
                          node.set_immediate(note("I2"));
                          node.set_timeout(note("timeout"), 1);
                          busy_for(*loop, 3ms);
                          node.throw_error(std::string("io"));
                        });
  });
  EXPECT_EQ(result, is_26() ? (Log{"io", "!io", "I1", "tick", "microtask", "I2", "timeout"})
                            : (Log{"io", "!io", "tick", "microtask", "I1", "I2", "timeout"}));
}

TEST_F(NodeErrorTest, another_io_callback_drains_what_a_failed_one_left) {
  if (is_simulated()) GTEST_SKIP() << "waits for a thread";
  auto pool_of_one = make_loop({.pool_size = 1});
  NodeLayer layer(*pool_of_one);
  layer.events.uncaught_exception = [&](const Value&, ErrorOrigin) { log.push_back("!"); };
  std::atomic<int> worked = 0;
  layer.run_main([&] {
    for (const std::string label : {"a", "b"}) {
      pool_of_one->pool().submit([&] { ++worked; },
                                 [&, label](Error) {
                                   log.push_back(label);
                                   layer.next_tick(note("t" + label));
                                   layer.queue_microtask(note("m" + label));
                                   layer.set_immediate(note("I" + label));
                                   if (label == "a") layer.throw_error({});
                                 });
    }
    while (worked < 2) {
    }
  });
  pool_of_one->run();
  EXPECT_EQ(log, (Log{"a", "!", "b", "ta", "tb", "ma", "mb", "Ia", "Ib"}));
}

TEST_F(NodeErrorTest, a_failed_close_callback_is_followed_by_the_timers) {
  struct Closing : TestTimer {
    using TestTimer::TestTimer;
    NodeErrorTest* test = nullptr;
  } timer(*loop);
  timer.test = this;
  EXPECT_EQ(run([&] {
              timer.close([](Handle& self) {
                auto& test = *static_cast<Closing&>(self).test;
                test.log.push_back("close");
                test.node.next_tick(test.note("tick"));
                test.node.set_timeout(test.note("timeout"), 1);
                busy_for(*test.loop, 3ms);
                test.node.throw_error(std::string("close"));
              });
            }),
            (Log{"close", "!close", "timeout", "tick"}));
}

TEST_F(NodeErrorTest, a_failed_timeout_is_followed_by_the_next_and_then_by_its_ticks) {
  node.events.uncaught_exception = [&](const Value&, ErrorOrigin) {
    log.push_back("!");
    node.next_tick(note("t!"));
  };
  EXPECT_EQ(run([&] {
              node.set_timeout(
                  [&] {
                    log.push_back("A");
                    node.next_tick(note("tA"));
                    node.queue_microtask(note("mA"));
                    node.set_immediate(note("I"));
                    node.throw_error({});
                  },
                  1);
              node.set_timeout([&] { note("B")(), node.next_tick(note("tB")); }, 1);
              node.set_timeout(note("C"), 2);
              busy_for(*loop, 5ms);
            }),
            (Log{"A", "!", "B", "tA", "t!", "tB", "mA", "C", "I"}));
}

TEST_F(NodeErrorTest, a_failed_timeout_is_followed_by_its_ticks_if_the_next_has_another_duration) {
  EXPECT_EQ(run([&] {
              node.set_timeout([&] { node.next_tick(note("tA")), node.throw_error(std::string("A")); }, 1);
              busy_for(*loop, 2ms);
              node.set_timeout(note("B"), 2);
              busy_for(*loop, 5ms);
            }),
            (Log{"!A", "tA", "B"}));
}

TEST_F(NodeErrorTest, the_ticks_behind_a_failed_tick_of_a_timeout_run_after_the_next_timeout) {
  EXPECT_EQ(run([&] {
              node.set_timeout(
                  [&] {
                    log.push_back("A");
                    node.next_tick(fail("t1"));
                    node.next_tick(note("t2"));
                    node.queue_microtask(note("microtask"));
                  },
                  1);
              node.set_timeout([&] { note("B")(), node.next_tick(note("tB")); }, 1);
              node.set_timeout(note("C"), 1);
              node.set_immediate(note("I"));
              busy_for(*loop, 3ms);
            }),
            (Log{"A", "t1", "!t1", "B", "t2", "tB", "microtask", "C", "I"}));
}

TEST_F(NodeErrorTest, a_failed_interval_goes_on_behind_what_its_callback_has_set) {
  node.events.uncaught_exception = [&](const Value&, ErrorOrigin) {
    log.push_back("!");
    node.set_timeout(note("U"), 1);
  };
  TimeoutId interval;
  int turns = 0;
  EXPECT_EQ(run([&] {
              interval = node.set_interval(
                  [&] {
                    log.push_back("i" + std::to_string(++turns));
                    if (turns == 3) node.clear(interval);
                    node.set_timeout(note("N"), 1);
                    if (turns == 1) node.throw_error({});
                  },
                  1);
            }),
            (Log{"i1", "!", "N", "i2", "U", "N", "i3", "N"}));
}

TEST_F(NodeErrorTest, a_failed_immediate_is_followed_by_the_rest_of_its_phase_and_then_by_its_ticks) {
  EXPECT_EQ(run([&] {
              node.set_immediate([&] {
                log.push_back("A");
                node.next_tick(note("tA"));
                node.queue_microtask(note("mA"));
                node.set_immediate(note("X"));
                node.set_timeout(note("timeout"), 1);
                busy_for(*loop, 3ms);
                node.throw_error(std::string("A"));
              });
              node.set_immediate([&] { note("B")(), node.next_tick(note("tB")); });
              node.set_immediate(note("C"));
            }),
            (Log{"A", "!A", "B", "tA", "tB", "mA", "C", "timeout", "X"}));
}

TEST_F(NodeErrorTest, if_the_last_immediate_fails_those_set_meanwhile_run_in_the_same_phase) {
  node.events.uncaught_exception = [&](const Value&, ErrorOrigin) {
    log.push_back("!");
    node.set_immediate(note("Y"));
  };
  EXPECT_EQ(run([&] {
              node.set_immediate(note("Z"));
              node.set_immediate([&] {
                node.next_tick(note("tick"));
                node.set_immediate(note("X"));
                node.set_timeout(note("timeout"), 1);
                busy_for(*loop, 3ms);
                node.throw_error({});
              });
            }),
            (Log{"Z", "!", "X", "tick", "Y", "timeout"}));
}

TEST_F(NodeErrorTest, the_ticks_behind_a_failed_tick_of_the_last_immediate_run_after_the_timers) {
  EXPECT_EQ(run([&] {
              node.set_immediate([&] {
                node.next_tick(fail("t1"));
                node.next_tick(note("t2"));
                node.set_immediate(note("X"));
                node.set_timeout(note("timeout"), 1);
                busy_for(*loop, 3ms);
              });
            }),
            (Log{"t1", "!t1", "timeout", "t2", "X"}));
}

TEST_F(NodeErrorTest, the_handler_may_clear_the_immediate_behind_the_failed_one) {  // Node never returns
  ImmediateId next;
  node.events.uncaught_exception = [&](const Value&, ErrorOrigin) { node.clear(next); };
  EXPECT_EQ(run([&] {
              node.set_immediate([&] { node.throw_error({}); });
              next = node.set_immediate(note("cleared"));
              node.set_immediate(note("C"));
            }),
            Log{"C"});
}

TEST_F(NodeErrorTest, a_failed_microtask_defers_nothing) {
  EXPECT_EQ(run([&] {
              node.queue_microtask(fail("m1"));
              node.queue_microtask(note("m2"));
              node.next_tick(note("tick"));
              node.set_immediate(note("immediate"));
            }),
            (Log{"tick", "m1", "!m1", "m2", "immediate"}));
}

TEST_F(NodeErrorTest, without_a_handler_an_error_ends_the_process_with_code_1) {
  node.events.uncaught_exception = nullptr;
  node.events.exit = [&](int code) {
    log.push_back("exit " + std::to_string(code));
    node.next_tick(note("never"));
    node.queue_microtask(note("never"));
  };
  const int code = node.run([&] {
    node.set_timeout(fail("A"), 1);
    node.set_timeout(note("never"), 1);
    node.set_immediate(note("never"));
    busy_for(*loop, 3ms);
  });
  EXPECT_EQ(code, 1);
  EXPECT_EQ(log, (Log{"A", "exit 1"}));
}

TEST_F(NodeErrorTest, a_handler_that_fails_ends_the_process_with_code_7_and_without_exit) {
  node.events.uncaught_exception = [&](const Value&, ErrorOrigin) { node.throw_error({}); };
  node.events.exit = [&](int) { log.push_back("never"); };
  EXPECT_EQ(node.run([&] { node.set_immediate([&] { node.throw_error({}); }); }), 7);
  EXPECT_EQ(log, Log{});
}

}  // namespace
}  // namespace refloop::node_errors_test
