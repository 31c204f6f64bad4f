#include "reference-loop/simulation.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

#include "reference-loop/listener.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/stream.h"
#include "reference-loop/test_log.h"

namespace refloop::simulation_test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Loop> loop_in(Simulation& simulation, std::size_t pool_size = 4) {
  return Loop::create({.backend = BackendKind::simulated, .pool_size = pool_size, .simulation = &simulation})
      .value();
}

// One end of a pair in memory that logs what it gets.
struct End : Stream {
  End(Loop& loop, Log& shared_log, std::string end_name)
      : Stream(loop), log(shared_log), name(std::move(end_name)) {}
  Log& log;
  std::string name;

  void read_noting() {
    ASSERT_TRUE(read_start(
        [](Stream& stream, Bytes bytes) {
          auto& self = static_cast<End&>(stream);
          self.log.push_back(self.name +
                             std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        },
        [](Stream& stream, Error) {
          auto& self = static_cast<End&>(stream);
          self.log.push_back(self.name + "end");
          if (!self.is_closing()) self.close();
        }));
  }
};

TEST(SimulationTest, a_day_of_seconds_passes_at_once) {
  Simulation simulation;
  const auto loop = loop_in(simulation);
  const Nanos begin = simulation.now();
  TestTimer timer(*loop);
  int seconds = 0;
  timer.start_in(
      1s,
      [&] {
        EXPECT_GE(simulation.now() - begin, ++seconds * 1s);
        if (seconds == 24 * 3600) timer.stop();
      },
      1s);
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(seconds, 24 * 3600);
  EXPECT_GE(simulation.now() - begin, 24h);
}

TEST(SimulationTest, computing_takes_the_time_that_is_said) {
  Simulation simulation({.late_permille = 0});
  const auto loop = loop_in(simulation);
  TestTimer timer(*loop);
  timer.start_in(10ms, [&] { EXPECT_EQ(simulation.now(), loop->now()); });
  const Nanos begin = simulation.now();
  loop->run();
  EXPECT_EQ(simulation.now() - begin, 10ms) << "and nothing else takes any";
  simulation.spend(3ms);
  EXPECT_EQ(simulation.now() - begin, 13ms);
  EXPECT_EQ(loop->now() - begin, 10ms) << "cached";
}

TEST(SimulationTest, a_loop_that_would_wait_for_ever_stops_and_says_so) {
  Simulation simulation;
  const auto loop = loop_in(simulation);
  Async async(*loop, [](Async&) {});
  EXPECT_TRUE(loop->run());
  EXPECT_TRUE(simulation.is_stalled());
  async.close();
  EXPECT_FALSE(loop->run());
}

TEST(SimulationTest, work_runs_on_virtual_threads_as_many_as_the_pool_has) {
  Simulation simulation({.work_start = {}, .work_time = {1ms, 1ms}});
  const auto loop = loop_in(simulation, 2);
  const Nanos begin = simulation.now();
  std::vector<Nanos> started;
  std::multiset<std::int32_t> threads;
  std::vector<Nanos> finished;
  for (int i = 0; i < 4; ++i) {
    loop->pool().submit(
        [&] {
          started.push_back(simulation.now() - begin);
          threads.insert(simulation.current_thread());
          simulation.spend(2ms);
        },
        [&](Error) { finished.push_back(simulation.now() - begin); });
  }
  loop->run();
  EXPECT_EQ(started, (std::vector<Nanos>{0ms, 0ms, 3ms, 3ms}));
  EXPECT_EQ(threads, (std::multiset<std::int32_t>{2, 2, 3, 3}));
  EXPECT_EQ(finished, (std::vector<Nanos>{3ms, 3ms, 6ms, 6ms}));
}

TEST(SimulationTest, work_goes_on_while_a_callback_computes) {
  Simulation simulation({.work_start = {}, .work_time = {1ms, 1ms}});
  const auto loop = loop_in(simulation, 1);
  bool first_ran = false;
  bool second_ran = false;
  Log log;
  loop->pool().submit([&] { first_ran = true; }, [&](Error error) { log.emplace_back(name_of(error)); });
  Work& second =
      loop->pool().submit([&] { second_ran = true; }, [&](Error error) { log.emplace_back(name_of(error)); });
  Work& third = loop->pool().submit([] {}, [&](Error error) { log.emplace_back(name_of(error)); });
  EXPECT_FALSE(first_ran);
  EXPECT_TRUE(simulation.spend_until([&] { return second_ran; }));
  EXPECT_TRUE(first_ran);
  EXPECT_EQ(log, Log{}) << "completions wait for the loop";
  EXPECT_EQ(loop->pool().cancel(second).error(), Error::busy);
  EXPECT_TRUE(loop->pool().cancel(third));
  loop->run();
  EXPECT_EQ(log, (Log{"OK", "ECANCELED", "OK"}));
  EXPECT_FALSE(simulation.spend_until([] { return false; })) << "nothing is left that could bring it about";
}

TEST(SimulationTest, work_has_times_of_its_own_while_a_callback_computes) {
  Simulation simulation({.work_start = {}, .work_time = {1ms, 1ms}});
  const auto loop = loop_in(simulation, 1);
  const Nanos begin = simulation.now();
  std::vector<Nanos> started;
  for (int i = 0; i < 3; ++i)
    loop->pool().submit([&] { started.push_back(simulation.now() - begin); }, [](Error) {});
  simulation.spend(10ms);
  EXPECT_EQ(started, (std::vector<Nanos>{0ms, 1ms, 2ms}));
  EXPECT_EQ(simulation.now() - begin, 10ms);
  loop->run();
}

TEST(SimulationTest, bytes_and_ends_travel_between_two_streams) {
  Simulation simulation({.transit = {1ms, 1ms}, .short_permille = 0, .late_permille = 0});
  const auto loop = loop_in(simulation);
  Log log;
  End source(*loop, log, "source ");
  End target(*loop, log, "target ");
  auto sockets = simulation.socket_pair();
  ASSERT_TRUE(sockets && source.adopt(std::move(sockets->first)) && target.adopt(std::move(sockets->second)));
  source.read_noting();
  target.read_noting();
  const Nanos begin = simulation.now();
  ASSERT_TRUE(source.send(as_bytes("hel"), as_bytes("lo")));
  ASSERT_TRUE(source.shutdown(nullptr));
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(log, (Log{"target hello", "target end", "source end"}));
  EXPECT_EQ(simulation.now() - begin, 2ms) << "there, and the target's close back";
}

TEST(SimulationTest, a_stream_of_the_real_world_is_refused) {
  Simulation simulation;
  const auto loop = loop_in(simulation);
  Log log;
  End end(*loop, log, "");
  ASSERT_TRUE(end.adopt(Socket(::socket(AF_UNIX, SOCK_STREAM, 0))));
  EXPECT_EQ(end.read_start([](Stream&, Bytes) {}, [](Stream&, Error) {}).error(), Error::not_supported);
  PlainWrite write;
  write.data = &log;
  ASSERT_TRUE(end.write(write, as_bytes("x"), [](WriteRequest& self, Error error) {
    static_cast<Log*>(self.data)->emplace_back(name_of(error));
  }));
  loop->run();
  EXPECT_EQ(log, Log{std::string(name_of(Error::not_supported))});
  end.close();
  loop->run();
}

// A program with a bit of everything, whose order depends on what is drawn.
struct Mixture {
  explicit Mixture(Simulation& of) : simulation(of), loop(loop_in(of)), node(*loop) {
    loop->start_trace();
    auto sockets = simulation.socket_pair().value();
    EXPECT_TRUE(source.adopt(std::move(sockets.first)) && target.adopt(std::move(sockets.second)));
    source.read_noting();
    target.read_noting();
    node.run_main([this] {
      for (int i = 0; i < 20; ++i) {
        loop->pool().submit([] {}, [this, i](Error) { node.next_tick([this, i] { react(i); }); });
        node.set_timeout([this, i] { react(i); }, i % 5);
      }
    });
    loop->run();
    loop->run();
  }
  void react(int i) {
    EXPECT_TRUE(source.send(as_bytes(std::to_string(i))));
    node.set_immediate([] {});
    if (++reactions == 40) {
      EXPECT_TRUE(source.shutdown(nullptr));
    }
  }
  std::string trace_bytes() {
    const auto trace = loop->stop_trace();
    std::string bytes;
    for (std::size_t i = 0; i < trace->size(); ++i) {
      const TraceRecord& record = (*trace)[i];
      for (const auto value : {record.time.count(), record.loop_now.count(), record.due.count()})
        bytes += std::to_string(value) + " ";
      for (const auto value : {record.id, record.iteration}) bytes += std::to_string(value) + " ";
      bytes += std::to_string(record.thread) + " " + std::string(name_of(record.event)) + " " +
               std::string(name_of(record.phase)) + " " + std::string(name_of(record.kind)) + "\n";
    }
    return bytes;
  }

  Simulation& simulation;
  std::unique_ptr<Loop> loop;
  NodeLayer node;
  Log log;
  End source{*loop, log, "s"};
  End target{*loop, log, "t"};
  int reactions = 0;
};

std::string trace_of(const SimulationOptions& options) {
  Simulation simulation(options);
  return Mixture(simulation).trace_bytes();
}

TEST(SimulationTest, the_same_seed_is_the_same_trace_and_others_are_others) {
  std::set<std::string> traces;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string trace = trace_of({.seed = seed});
    EXPECT_EQ(trace, trace_of({.seed = seed}));
    EXPECT_GT(trace.size(), 1000u);
    traces.insert(trace);
  }
  EXPECT_EQ(traces.size(), 50u);
}

TEST(SimulationTest, recorded_answers_replay_the_trace) {
  SeededChoices seeded(5);
  RecordingChoices recording(seeded);
  const std::string trace = trace_of({.choices = &recording});
  ReplayedChoices replayed(recording.answers());
  EXPECT_EQ(trace_of({.choices = &replayed}), trace);
  EXPECT_EQ(trace_of({.seed = 5}), trace);
}

}  // namespace
}  // namespace refloop::simulation_test
