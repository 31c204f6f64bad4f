#include "reference-loop/trace.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::trace_test {
namespace {

using namespace std::chrono_literals;

// "begin timer 7" and so on, without the marks of phases and iterations.
Log lines_of(const Trace& trace) {
  Log lines;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const TraceRecord& record = trace[i];
    if (record.event == Event::phase || record.event == Event::iteration) continue;
    lines.push_back(std::string(name_of(record.event)) + " " + std::string(name_of(record.kind)) + " " +
                    std::to_string(record.label));
  }
  return lines;
}

TEST(Trace, says_what_was_scheduled_began_and_ended) {
  auto loop = make_loop();
  TestTimer timer(*loop);
  timer.set_label(7);
  loop->start_trace(16);
  timer.start_in(1ms, [] {});
  loop->run();
  const auto trace = loop->stop_trace();
  EXPECT_EQ(lines_of(*trace), (Log{"schedule timer 7", "begin timer 7", "end timer 7"}));
  std::map<Event, TraceRecord> by_event;
  for (std::size_t i = 0; i < trace->size(); ++i) {
    if ((*trace)[i].kind == Kind::timer) by_event[(*trace)[i].event] = (*trace)[i];
  }
  EXPECT_EQ(by_event[Event::schedule].due, by_event[Event::begin].due);
  EXPECT_EQ(by_event[Event::schedule].id, by_event[Event::end].id);
  EXPECT_EQ(by_event[Event::schedule].phase, Phase::outside);
  EXPECT_EQ(by_event[Event::begin].phase, Phase::timers);
  EXPECT_GE(by_event[Event::begin].loop_now, by_event[Event::begin].due);
  EXPECT_GE(by_event[Event::end].time, by_event[Event::begin].time);
  EXPECT_EQ(by_event[Event::end].thread, loop->current_thread());
}

TEST(Trace, names_every_layer_and_hides_the_machinery) {
  auto loop = make_loop({.pool_size = 1});
  NodeLayer node(*loop);
  loop->start_trace();
  node.run_main(
      [&] {
        node.next_tick([] {}, 2);
        node.queue_microtask([] {}, 3);
        node.set_immediate(
            [&] { loop->pool().submit([] {}, [&](Error) { node.set_timeout([] {}, 1, 6); }, 5); }, 4);
      },
      1);
  loop->run();
  const auto trace = loop->stop_trace();
  EXPECT_EQ(lines_of(*trace),
            (Log{"schedule main 1", "begin main 1", "schedule tick 2", "schedule microtask 3",
                 "schedule node_immediate 4", "end main 1", "begin tick 2", "end tick 2", "begin microtask 3",
                 "end microtask 3", "begin node_immediate 4", "schedule pool 5", "end node_immediate 4",
                 "complete pool 5", "begin pool 5", "schedule node_timeout 6", "end pool 5",
                 "begin node_timeout 6", "end node_timeout 6"}));
  for (std::size_t i = 0; i < trace->size(); ++i) {
    if ((*trace)[i].event == Event::complete) {
      EXPECT_NE((*trace)[i].thread, loop->current_thread());
    }
  }
}

// A small oracle: callbacks never overlap and each submission ends once, over a busy random program.
TEST(Trace, callbacks_never_overlap_and_each_submission_runs_once) {
  auto loop = make_loop();
  NodeLayer node(*loop);
  Trace& trace = loop->start_trace(16);  // far too small: it must grow
  int left = 20'000;
  std::function<void()> work = [&] {
    for (int i = 0; i < 2 && left > 0; ++i) {
      switch (left-- % 5) {
        case 0:
          node.set_immediate([&] { work(); });
          break;
        case 1:
          node.next_tick([&] { work(); });
          break;
        case 2:
          node.queue_microtask([&] { work(); });
          break;
        case 3:
          node.set_timeout([&] { work(); }, left % 3);
          break;
        default:
          loop->pool().submit([] {}, [&](Error) { work(); });
      }
    }
  };
  node.run_main([&] { work(); });
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(left, 0);
  std::set<std::uint64_t> scheduled;
  std::set<std::uint64_t> begun;
  std::uint64_t running = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const TraceRecord& record = trace[i];
    if (record.event == Event::schedule) {
      ASSERT_TRUE(scheduled.insert(record.id).second);
    }
    if (record.event == Event::begin) {
      ASSERT_EQ(running, 0u) << "overlap at record " << i;
      ASSERT_TRUE(scheduled.contains(record.id));
      ASSERT_TRUE(begun.insert(record.id).second) << "ran twice";
      running = record.id;
    }
    if (record.event == Event::end) {
      ASSERT_EQ(running, record.id);
      running = 0;
    }
  }
  EXPECT_EQ(begun, scheduled) << "something was lost";
  EXPECT_GT(begun.size(), 20'000u);
}

}  // namespace
}  // namespace refloop::trace_test
