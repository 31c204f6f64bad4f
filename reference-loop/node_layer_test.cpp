#include "reference-loop/node_layer.h"

#include "reference-loop/node_test.h"
#include "reference-loop/pool.h"
#include "reference-loop/test_loop.h"

namespace refloop::node_layer_test {
namespace {

TEST_F(NodeTest, ticks_run_before_microtasks_after_main) {
  EXPECT_EQ(run([&] {
              node.queue_microtask(note("m1"));
              node.next_tick(note("t1"));
              node.queue_microtask(note("m2"));
              node.next_tick(note("t2"));
              log.push_back("main");
            }),
            (Log{"main", "t1", "t2", "m1", "m2"}));
}

TEST_F(NodeTest, nested_ticks_and_microtasks_drain_in_the_same_drain) {
  EXPECT_EQ(run([&] {
              node.next_tick([&] {
                log.push_back("t1");
                node.next_tick(note("t2"));
                node.queue_microtask([&] {
                  log.push_back("m1");
                  node.next_tick(note("t3"));
                  node.queue_microtask(note("m2"));
                });
              });
              node.set_immediate(note("immediate"));
            }),
            (Log{"t1", "t2", "m1", "m2", "t3", "immediate"}));
}

TEST_F(NodeTest, drains_between_timers_and_between_immediates) {
  EXPECT_EQ(run([&] {
              for (const char* label : {"A", "B"}) {
                node.set_timeout(
                    [this, label] {
                      log.push_back(label);
                      node.next_tick(note(std::string("t") + label));
                      node.queue_microtask(note(std::string("m") + label));
                    },
                    1);
              }
              busy_for(*loop, 3ms);
            }),
            (Log{"A", "tA", "mA", "B", "tB", "mB"}));
  log.clear();
  EXPECT_EQ(run([&] {
              for (const char* label : {"A", "B"}) {
                node.set_immediate([this, label] {
                  log.push_back(label);
                  node.next_tick(note(std::string("t") + label));
                });
              }
            }),
            (Log{"A", "tA", "B", "tB"}));
}

TEST_F(NodeTest, drains_after_pool_completions_close_callbacks_and_asyncs) {
  struct Closing : TestTimer {
    using TestTimer::TestTimer;
    NodeTest* test = nullptr;
  } timer(*loop);
  timer.test = this;
  EXPECT_EQ(run([&] {
              loop->pool().submit([] {},
                                  [&](Error) {
                                    log.push_back("pool");
                                    node.next_tick([&] {
                                      log.push_back("tick");
                                      timer.close([](Handle& self) {
                                        NodeTest& test = *static_cast<Closing&>(self).test;
                                        test.log.push_back("close");
                                        test.node.next_tick(test.note("close tick"));
                                        test.node.queue_microtask(test.note("close microtask"));
                                      });
                                    });
                                  });
            }),
            (Log{"pool", "tick", "close", "close tick", "close microtask"}));
}

TEST_F(NodeTest, an_immediate_set_by_an_immediate_or_its_tick_waits_for_the_next_check) {
  EXPECT_EQ(run([&] {
              node.set_immediate([&] {
                log.push_back("1");
                node.set_immediate(note("3"));
                node.next_tick([&] { node.set_immediate(note("4")); });
              });
              node.set_immediate(note("2"));
            }),
            (Log{"1", "2", "3", "4"}));
  const std::uint64_t before = loop->iteration();
  run([&] { node.set_immediate([&] { node.set_immediate([] {}); }); });
  EXPECT_EQ(loop->iteration() - before, 2u);
}

TEST_F(NodeTest, immediates_precede_timers_from_a_poll_callback_and_from_a_timer_even_if_overdue) {
  EXPECT_EQ(run([&] {
              loop->pool().submit([] {},
                                  [&](Error) {
                                    node.set_timeout(note("timeout"), 1);
                                    node.set_immediate(note("immediate"));
                                    busy_for(*loop, 3ms);
                                  });
            }),
            (Log{"immediate", "timeout"}));
  log.clear();
  EXPECT_EQ(run([&] {
              node.set_timeout(
                  [&] {
                    node.set_timeout(note("timeout"), 1);
                    node.set_immediate(note("immediate"));
                    busy_for(*loop, 3ms);
                  },
                  1);
            }),
            (Log{"immediate", "timeout"}));
}

TEST_F(NodeTest, an_overdue_timer_precedes_an_immediate_of_main) {
  EXPECT_EQ(run([&] {
              node.set_immediate(note("immediate"));
              node.set_timeout(note("timeout"), 1);
              busy_for(*loop, 3ms);
            }),
            (Log{"timeout", "immediate"}));
}

TEST_F(NodeTest, clearing_a_sibling_suppresses_it_also_from_a_tick) {
  TimeoutId timeout;
  ImmediateId immediate;
  EXPECT_EQ(run([&] {
              node.set_timeout([&] { node.next_tick([&] { node.clear(timeout); }); }, 1);
              timeout = node.set_timeout(note("cleared timeout"), 1);
              node.set_timeout(note("timeout"), 1);
              busy_for(*loop, 3ms);
            }),
            Log{"timeout"});
  log.clear();
  EXPECT_EQ(run([&] {
              node.set_immediate([&] { node.next_tick([&] { node.clear(immediate); }); });
              immediate = node.set_immediate(note("cleared immediate"));
              node.set_immediate(note("immediate"));
            }),
            Log{"immediate"});
  node.clear(timeout);  // stale: harmless
  node.clear(immediate);
}

TEST_F(NodeTest, unref_changes_liveness_and_not_order) {
  EXPECT_EQ(run([&] {
              node.unref(node.set_timeout(note("unreferenced"), 1));
              node.set_timeout(note("referenced"), 1);
            }),
            (Log{"unreferenced", "referenced"}));
  log.clear();
  TimeoutId never;
  EXPECT_EQ(run([&] {
              never = node.set_timeout(note("never"), 100'000);
              node.unref(never);
              EXPECT_FALSE(node.has_ref(never));
              node.unref(node.set_immediate(note("never either")));
            }),
            Log{});
  log.clear();
  EXPECT_EQ(run([&] { node.set_immediate(note("now")); }), (Log{"never either", "now"}));
  node.clear(never);
}

TEST_F(NodeTest, endless_immediates_and_zero_timeouts_starve_nobody) {
  int immediates = 0;
  bool stop = false;
  std::function<void()> spin = [&] {
    ++immediates;
    if (!stop) node.set_immediate([&] { spin(); });
  };
  std::function<void()> rearm = [&] {
    if (!stop) node.set_timeout([&] { rearm(); }, 0);
  };
  run([&] {
    spin();
    rearm();
    node.set_timeout([&] { loop->pool().submit([] {}, [&](Error) { stop = true; }); }, 5);
  });
  EXPECT_GT(immediates, 5);
}

}  // namespace
}  // namespace refloop::node_layer_test
