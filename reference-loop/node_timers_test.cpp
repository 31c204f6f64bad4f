// Timeouts and intervals: coercion, clock, lists by duration, re-arming. Every list is what Node prints for
// the same program.
#include "reference-loop/node_timers.h"

#include <algorithm>
#include <limits>

#include "reference-loop/node_test.h"

namespace refloop::node_timers_test {
namespace {

using NodeTimersTest = NodeTest;

TEST_F(NodeTimersTest, delays_are_coerced_as_node_does) {
  EXPECT_EQ(NodeTimers::coerce_delay(0), 1ms);
  EXPECT_EQ(NodeTimers::coerce_delay(-5), 1ms);
  EXPECT_EQ(NodeTimers::coerce_delay(std::numeric_limits<double>::quiet_NaN()), 1ms);
  EXPECT_EQ(NodeTimers::coerce_delay(2147483648.0), 1ms);
  EXPECT_EQ(NodeTimers::coerce_delay(2147483647.0), 2147483647ms);
  EXPECT_EQ(NodeTimers::coerce_delay(2.9), 2ms);
  EXPECT_EQ(run([&] {  // so 0 and 1 are one list
              node.set_timeout(note("one"), 1);
              node.set_timeout(note("zero"), 0);
            }),
            (Log{"one", "zero"}));
}

TEST_F(NodeTimersTest, a_timeout_counts_from_a_refreshed_clock_and_is_never_early) {
  EXPECT_EQ(run([&] {
              node.set_timeout(note("20"), 20);
              spin_for(*loop, 15ms);
              const Nanos before = loop->read_clock();
              node.set_timeout(
                  [this, before] {
                    EXPECT_GT(loop->read_clock() - before, 9ms);  // whole milliseconds, as in Node
                    log.push_back("10");
                  },
                  10);
            }),
            (Log{"20", "10"}));
}

TEST_F(NodeTimersTest, lists_run_as_a_whole_in_the_order_of_their_heads) {
  EXPECT_EQ(run([&] {
              node.set_timeout(note("A20"), 20);
              busy_for(*loop, 2ms);
              node.set_timeout(note("B19"), 19);  // due after A20, before C20
              busy_for(*loop, 2ms);
              node.set_timeout(note("C20"), 20);
              busy_for(*loop, 25ms);
            }),
            (Log{"A20", "C20", "B19"}))
      << "Node's list batching: C20 is due after B19, but its list has the earlier head";
}

TEST_F(NodeTimersTest, a_timeout_set_in_a_timeout_waits_for_another_turn_even_if_overdue) {
  EXPECT_EQ(run([&] {
              node.set_timeout(
                  [&] {
                    log.push_back("A");
                    node.set_immediate(note("I"));
                    node.set_timeout(note("N"), 1);
                    busy_for(*loop, 3ms);
                  },
                  1);
              node.set_timeout(note("B"), 1);
              busy_for(*loop, 3ms);
            }),
            (Log{"A", "B", "I", "N"}));
}

TEST_F(NodeTimersTest, an_interval_queues_behind_what_its_callback_set_and_stops_in_its_own_callback) {
  TimeoutId interval;
  int turns = 0;
  EXPECT_EQ(run([&] {
              interval = node.set_interval(
                  [&] {
                    log.push_back("interval");
                    if (++turns == 2)
                      node.clear(interval);
                    else
                      node.set_timeout(note("timeout"), 1);
                  },
                  1);
            }),
            (Log{"interval", "timeout", "interval"}));
}

TEST_F(NodeTimersTest, the_period_of_an_interval_begins_with_its_callback) {
  TimeoutId interval;
  int turns = 0;
  EXPECT_EQ(run([&] {
              interval = node.set_interval(
                  [&] {
                    log.push_back("i" + std::to_string(++turns));
                    if (turns == 2) return node.clear(interval);
                    busy_for(*loop, 8ms);
                    node.set_timeout(note("timeout"), 5);  // due 3 ms after the interval, however late we are
                  },
                  10);
            }),
            (Log{"i1", "i2", "timeout"}));
}

TEST_F(NodeTimersTest, refresh_goes_to_the_back_of_its_list) {
  EXPECT_EQ(run([&] {
              const TimeoutId first = node.set_timeout(note("first"), 2);
              node.set_timeout(note("second"), 2);
              node.refresh(first);
            }),
            (Log{"second", "first"}));
  log.clear();
  TimeoutId own;
  int runs = 0;
  EXPECT_EQ(run([&] {
              own = node.set_timeout(
                  [&] {
                    log.push_back("own");
                    if (++runs < 3) node.refresh(own);
                  },
                  1);
            }),
            (Log{"own", "own", "own"}));
}

TEST_F(NodeTimersTest, a_kept_timeout_can_be_refreshed_after_it_has_fired) {
  TimeoutId kept, gone;
  int fired = 0;
  EXPECT_EQ(run([&] {
              kept = node.set_timeout([&] { log.push_back("kept " + std::to_string(++fired)); }, 1);
              node.keep(kept);
              gone = node.set_timeout(note("gone"), 1);
              node.set_timeout([&] { node.refresh(kept), node.refresh(gone); }, 5);
            }),
            (Log{"kept 1", "gone", "kept 2"}));
  log.clear();
  EXPECT_EQ(run([&] {
              node.refresh(kept);
              node.clear(kept);
              node.refresh(kept);
            }),
            Log{});
}

TEST_F(NodeTimersTest, a_kept_timeout_that_has_fired_does_not_hold_the_loop_until_it_is_refreshed) {
  TimeoutId kept;
  run([&] { node.keep(kept = node.set_timeout([] {}, 1)); });
  EXPECT_FALSE(loop->alive());
  node.unref(kept);
  node.ref(kept);
  EXPECT_FALSE(loop->alive());
  node.refresh(kept);
  EXPECT_TRUE(loop->alive());
  node.unref(kept);
  EXPECT_FALSE(loop->alive());
}

TEST_F(NodeTimersTest, refresh_by_an_earlier_timeout_postpones_by_its_tick_it_does_not) {
  TimeoutId second;
  const auto program = [&](Task first) {
    log.clear();
    return run([&, first = std::move(first)]() mutable {
      node.set_timeout(std::move(first), 5);
      second = node.set_timeout(note("B"), 5);
      node.set_timeout(note("C"), 5);
      busy_for(*loop, 7ms);
    });
  };
  EXPECT_EQ(program([&] { node.refresh(second); }), (Log{"C", "B"}));
  EXPECT_EQ(program([&] { node.next_tick([&] { node.refresh(second); }); }), (Log{"B", "C"}));
}

TEST_F(NodeTimersTest, a_refreshed_interval_queues_behind_what_its_callback_set) {
  TimeoutId interval;
  int turns = 0;
  EXPECT_EQ(run([&] {
              interval = node.set_interval(
                  [&] {
                    log.push_back("i" + std::to_string(++turns));
                    if (turns == 2) return node.clear(interval);
                    node.set_timeout(note("a"), 2);
                    node.refresh(interval);
                    node.set_timeout(note("b"), 2);
                  },
                  2);
            }),
            (Log{"i1", "a", "b", "i2"}));
}

TEST_F(NodeTimersTest, cleared_timeouts_stay_cleared_when_refreshed) {
  TimeoutId interval, own;
  EXPECT_EQ(run([&] {
              const TimeoutId never = node.set_timeout(note("never"), 1);
              node.clear(never);
              node.refresh(never);
              interval = node.set_interval(
                  [&] { note("interval")(), node.clear(interval), node.refresh(interval); }, 1);
              own = node.set_timeout([&] { note("own")(), node.clear(own), node.refresh(own); }, 1);
            }),
            (Log{"interval", "own"}));
}

TEST_F(NodeTimersTest, the_last_sibling_may_be_cleared_and_its_list_made_anew) {
  TimeoutId second;
  EXPECT_EQ(run([&] {
              node.set_timeout(
                  [&] {
                    log.push_back("A");
                    node.clear(second);
                    node.set_timeout(note("N"), 3);
                    node.set_timeout(note("M"), 3);
                  },
                  3);
              second = node.set_timeout(note("never"), 3);
              busy_for(*loop, 6ms);
            }),
            (Log{"A", "N", "M"}));
}

TEST(TimerLists, come_out_by_expiry_and_among_equals_in_the_order_of_their_last_change) {
  TimerLists lists;
  std::vector<std::pair<Millis, int>> expected;
  for (int i = 0; i < 500; ++i) {
    const Millis expiry{i * 37 % 50};
    DurationList& list = lists.add(Millis{i + 1}, expiry);
    if (i % 3 == 0) {
      lists.remove(list);
    } else if (i % 5 == 0) {
      lists.postpone(list, expiry + Millis{10});
      expected.emplace_back(expiry + Millis{10}, i + 1);
    } else {
      expected.emplace_back(expiry, i + 1);
    }
  }
  std::ranges::stable_sort(expected, {}, &std::pair<Millis, int>::first);
  for (const auto& [expiry, duration] : expected) {
    EXPECT_EQ(lists.front().duration, Millis{duration});
    EXPECT_EQ(lists.find(Millis{duration}), &lists.front());
    lists.remove(lists.front());
    EXPECT_EQ(lists.find(Millis{duration}), nullptr);
  }
  EXPECT_TRUE(lists.empty());
}

}  // namespace
}  // namespace refloop::node_timers_test
