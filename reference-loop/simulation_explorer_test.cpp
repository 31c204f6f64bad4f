// Every run of small programs, counted by hand.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/simulation.h"
#include "reference-loop/stream.h"
#include "reference-loop/test_log.h"

namespace refloop::simulation_explorer_test {
namespace {

using namespace std::chrono_literals;

// What one run of a program has: a loop in open timing, and a log.
struct World {
  explicit World(Choices& choices, unsigned patience = 100)
      : simulation([&] {
          SimulationOptions options = SimulationOptions::every_order(choices);
          options.patience = patience;
          return options;
        }()),
        loop(Loop::create({.backend = BackendKind::simulated, .simulation = &simulation}).value()) {}

  void note(std::string label) { log += label; }
  Work& work(std::string label) {
    return loop->pool().submit(
        [] {}, [this, label](Error error) { note(error == Error::canceled ? label + "!" : label); });
  }
  // A stream that has one byte on its way and notes its arrival.
  struct Reader {
    Reader(World& of, std::string reader_label)
        : world(of), label(std::move(reader_label)), near(*of.loop), far(*of.loop) {
      auto sockets = world.simulation.socket_pair().value();
      EXPECT_TRUE(near.adopt(std::move(sockets.first)) && far.adopt(std::move(sockets.second)));
      far.data = this;
      const auto on_read = [](Stream& stream, Bytes) {
        auto& self = *static_cast<Reader*>(stream.data);
        self.world.note(self.label);
        stream.read_stop();
      };
      EXPECT_TRUE(far.read_start(on_read, [](Stream&, Error) {}));
      EXPECT_TRUE(near.send(as_bytes("x")));
    }
    void close() {
      near.close();
      far.close();
    }
    World& world;
    std::string label;
    Stream near;
    Stream far;
  };

  Simulation simulation;
  std::unique_ptr<Loop> loop;
  std::string log;
};

using Runs = std::map<std::string, std::uint64_t>;  // log -> runs that wrote it

Runs explore(const std::function<void(World&)>& program) {
  Runs runs;
  Explorer explorer;
  while (explorer.next()) {
    World world(explorer);
    program(world);
    ++runs[world.log];
  }
  return runs;
}

std::uint64_t total(const Runs& runs) {
  std::uint64_t sum = 0;
  for (const auto& [log, count] : runs) sum += count;
  return sum;
}

// Three completions: 3! orders; in each, every gap between two of them may be the end of a turn: 2^2.
TEST(ExplorerTest, three_completions_come_in_six_orders_over_one_to_three_turns) {
  const Runs runs = explore([](World& world) {
    for (const char* label : {"a", "b", "c"}) world.work(label);
    world.loop->run();
  });
  EXPECT_EQ(runs, (Runs{{"abc", 4}, {"acb", 4}, {"bac", 4}, {"bca", 4}, {"cab", 4}, {"cba", 4}}));
}

TEST(ExplorerTest, one_thread_completes_in_order_in_every_run) {
  Explorer explorer;
  while (explorer.next()) {
    Simulation simulation(SimulationOptions::every_order(explorer));
    const auto loop =
        Loop::create({.backend = BackendKind::simulated, .pool_size = 1, .simulation = &simulation}).value();
    std::string log;
    for (const char* label : {"a", "b", "c"}) loop->pool().submit([] {}, [&, label](Error) { log += label; });
    loop->run();
    EXPECT_EQ(log, "abc");
  }
  EXPECT_EQ(explorer.runs(), 4u) << "2^2 ways to spread them over turns";
}

TEST(ExplorerTest, two_ready_streams_come_in_two_orders_in_one_turn_or_two) {
  const Runs runs = explore([](World& world) {
    World::Reader x(world, "x");
    World::Reader y(world, "y");
    world.loop->run();
    x.close();
    y.close();
    world.loop->run();
  });
  EXPECT_EQ(runs, (Runs{{"xy", 2}, {"yx", 2}}));
}

// In how many ways an order can be cut into turns: one wake-up per turn delivers its completions (a, b,
// c) in a row, so a turn with completions on both sides of a stream (x, y) does not exist.
std::uint64_t ways_to_cut(const std::string& order) {
  const auto is_work = [](char label) { return label < 'x'; };
  std::uint64_t ways = 0;
  for (unsigned cuts = 0; cuts < 1u << (order.size() - 1); ++cuts) {
    bool exists = true;
    bool had_work = false;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool begins_turn = i == 0 || (cuts >> (i - 1) & 1);
      if (begins_turn) had_work = false;
      const bool continues_work = !begins_turn && is_work(order[i - 1]);
      if (is_work(order[i]) && had_work && !continues_work) exists = false;
      had_work = had_work || is_work(order[i]);
    }
    ways += exists ? 1 : 0;
  }
  return ways;
}

TEST(ExplorerTest, three_completions_and_two_streams_come_in_every_order_that_turns_allow) {
  const Runs runs = explore([](World& world) {
    for (const char* label : {"a", "b", "c"}) world.work(label);
    World::Reader x(world, "x");
    World::Reader y(world, "y");
    world.loop->run();
    x.close();
    y.close();
    world.loop->run();
  });
  Runs expected;
  std::string order = "abcxy";
  do {
    expected[order] = ways_to_cut(order);
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(runs, expected);
  EXPECT_EQ(runs.size(), 120u);
  EXPECT_EQ(runs.at("abcxy"), 16u) << "every gap";
  EXPECT_EQ(runs.at("axbyc"), 9u) << "a gap between a and b, and one between b and c: 3 * 3";
}

TEST(ExplorerTest, a_completion_comes_before_or_after_a_timer) {
  const Runs runs = explore([](World& world) {
    TestTimer timer(*world.loop);
    timer.start_in(1ms, [&] { world.note("t"); });
    world.work("a");
    world.loop->run();
  });
  EXPECT_EQ(runs, (Runs{{"at", 1}, {"ta", 1}}));
}

TEST(ExplorerTest, work_that_is_canceled_at_once_has_started_or_not) {
  const Runs runs = explore([](World& world) {
    Work& work = world.work("a");
    (void)world.loop->pool().cancel(work);
    world.loop->run();
  });
  EXPECT_EQ(runs, (Runs{{"a", 1}, {"a!", 1}}));
}

// What the rules say holds in every run: ticks before microtasks, immediates behind poll and before timers.
TEST(ExplorerTest, what_is_promised_holds_in_every_run) {
  const Runs runs = explore([](World& world) {
    NodeLayer node(*world.loop);
    node.run_main([&] {
      for (const char* label : {"a", "b"}) {
        world.loop->pool().submit([] {},
                                  [&, label](Error) {
                                    world.note(label);
                                    node.queue_microtask([&] { world.note("m"); });
                                    node.next_tick([&] { world.note("t"); });
                                    node.set_immediate([&] { world.note("i"); });
                                  });
      }
    });
    world.loop->run();
  });
  // Both in one turn, or one each; no other order exists.
  EXPECT_EQ(runs.size(), 4u);
  for (const char* log : {"atmbtmii", "btmatmii", "atmibtmi", "btmiatmi"})
    EXPECT_TRUE(runs.contains(log)) << log;
}

TEST(ExplorerTest, patience_bounds_how_long_something_ready_waits) {
  std::set<std::uint64_t> iterations;
  Explorer explorer;
  while (explorer.next()) {
    World world(explorer, 2);
    TestWatcher<Idle> idle(*world.loop);  // the loop never waits: nothing needs to come
    idle.each_turn([] {});
    world.loop->pool().submit([] {}, [&](Error) { idle.stop(); });
    world.loop->run();
    iterations.insert(world.loop->iteration());
  }
  EXPECT_EQ(iterations, (std::set<std::uint64_t>{1, 2, 3}));
}

TEST(ExplorerTest, what_was_posted_to_the_loop_is_never_late) {
  Explorer explorer;
  while (explorer.next()) {
    World world(explorer);
    TestWatcher<Idle> idle(*world.loop);
    idle.each_turn([] {});
    world.work("a");
    Async async(*world.loop, [](Async& self) {
      EXPECT_EQ(self.loop().iteration(), 1u);
      static_cast<Idle*>(self.data)->stop();
      self.close();
    });
    async.data = static_cast<Idle*>(&idle);
    async.send();
    world.loop->run();
  }
  EXPECT_EQ(explorer.runs(), 2u) << "the completion comes with it, or later";
}

TEST(ExplorerTest, closes_can_be_put_off_where_that_is_wanted) {
  std::set<std::uint64_t> iterations;
  Explorer explorer;
  while (explorer.next()) {
    SimulationOptions options = SimulationOptions::every_order(explorer);
    options.close_deferred_permille = 500;
    options.patience = 2;
    Simulation simulation(options);
    const auto loop = Loop::create({.backend = BackendKind::simulated, .simulation = &simulation}).value();
    TestTimer timer(*loop);
    timer.close();
    loop->run();
    iterations.insert(loop->iteration());
  }
  EXPECT_EQ(iterations, (std::set<std::uint64_t>{1, 2, 3}));
}

TEST(ExplorerTest, total_of_all_runs_is_what_the_explorer_counted) {
  Explorer explorer;
  Runs runs;
  while (explorer.next()) {
    World world(explorer);
    for (const char* label : {"a", "b"}) world.work(label);
    world.loop->run();
    ++runs[world.log];
  }
  EXPECT_EQ(explorer.runs(), total(runs));
  EXPECT_EQ(explorer.runs(), 4u);
}

}  // namespace
}  // namespace refloop::simulation_explorer_test
