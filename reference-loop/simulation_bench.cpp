// Callbacks per second in virtual time: whole programs, the simulated world included.
//
// items_per_second is callbacks of the program: timers, ticks, completions, reads.
#include <benchmark/benchmark.h>
#include <deque>

#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/simulation.h"
#include "reference-loop/stream.h"
#include "reference-loop/timer.h"

namespace refloop::simulation_bench {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Loop> loop_in(Simulation& simulation) {
  return Loop::create({.backend = BackendKind::simulated, .simulation = &simulation}).value();
}

// A hundred repeating timers of different periods, a virtual second at a time.
void virtual_timers(benchmark::State& state) {
  Simulation simulation;
  const auto loop = loop_in(simulation);
  static std::int64_t fired;
  fired = 0;
  std::deque<Timer> timers;
  for (int i = 0; i < 100; ++i) {
    Timer& timer = timers.emplace_back(*loop);
    (void)timer.start([](Timer&) { ++fired; }, 1ms + i * 137us, 1ms + i * 137us);
  }
  Timer second(*loop);
  for (auto _ : state) {
    (void)second.start([](Timer& self) { self.loop().stop(); }, 1s);
    loop->run();
  }
  state.SetItemsProcessed(fired);
}
BENCHMARK(virtual_timers);

// Works that each submit the next, four at a time.
void virtual_pool(benchmark::State& state) {
  Simulation simulation;
  const auto loop = loop_in(simulation);
  struct Chain : Work {
    Loop* loop = nullptr;
    int left = 0;
    void next() {
      loop->pool().submit(
          *this, [](Work&) {},
          [](Work& work, Error) {
            auto& self = static_cast<Chain&>(work);
            if (--self.left > 0) self.next();
          });
    }
  };
  std::array<Chain, 4> chains;
  for (auto _ : state) {
    for (Chain& chain : chains) {
      chain.loop = loop.get();
      chain.left = 250;
      chain.next();
    }
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(virtual_pool);

// 64 bytes to and fro between two streams.
void virtual_echo(benchmark::State& state) {
  Simulation simulation({.short_permille = 0});
  const auto loop = loop_in(simulation);
  Stream near(*loop);
  Stream far(*loop);
  auto sockets = simulation.socket_pair().value();
  (void)near.adopt(std::move(sockets.first));
  (void)far.adopt(std::move(sockets.second));
  static std::int64_t reads;
  reads = 0;
  const auto on_read = [](Stream& stream, Bytes bytes) {
    if (++reads % 1000 == 0) stream.loop().stop();
    (void)stream.send(bytes);
  };
  (void)near.read_start(on_read, [](Stream&, Error) {});
  (void)far.read_start(on_read, [](Stream&, Error) {});
  const std::array<std::byte, 64> message{};
  (void)near.send(message);
  for (auto _ : state) loop->run();
  state.SetItemsProcessed(reads);
  near.close();
  far.close();
  loop->run();
}
BENCHMARK(virtual_echo);

// What random programs of the conformance suite are made of, on a loop of their own each; traced if asked.
void virtual_programs(benchmark::State& state) {
  std::int64_t callbacks = 0;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    Simulation simulation({.seed = ++seed});
    const auto loop = loop_in(simulation);
    NodeLayer node(*loop);
    if (state.range(0) != 0) loop->start_trace(1024);
    std::function<void(int)> react = [&](int depth) {
      ++callbacks;
      if (depth == 0) return;
      node.next_tick([&, depth] { react(depth - 1); });
      node.set_immediate([&, depth] { react(depth - 1); });
      if (depth % 2 == 0) node.queue_microtask([&] { react(0); });
      if (depth % 3 == 0) node.set_timeout([&] { react(0); }, 3);
      if (depth == 4) loop->pool().submit([] {}, [&](Error) { react(2); });
    };
    node.run_main([&] {
      for (int i = 0; i < 4; ++i) node.set_timeout([&] { react(4); }, 1 + i);
    });
    loop->run();
  }
  state.SetItemsProcessed(callbacks);
}
BENCHMARK(virtual_programs)->Arg(0)->Arg(1)->ArgName("traced");

}  // namespace
}  // namespace refloop::simulation_bench
