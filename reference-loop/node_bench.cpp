// What the queues of the Node layer cost. libuv and Asio have no ticks, microtasks or immediates: these
// stand alone.
#include <benchmark/benchmark.h>
#include <vector>

#include "reference-loop/loop.h"
#include "reference-loop/node_layer.h"

namespace refloop::node_bench {
namespace {

constexpr int kTasks = 1000;

void tick_drain(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  for (auto _ : state) {
    node.run_main([&] {
      for (int i = 0; i < kTasks; ++i) node.next_tick([] {});
    });
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(tick_drain);

void microtask_drain(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  for (auto _ : state) {
    node.run_main([&] {
      for (int i = 0; i < kTasks; ++i) node.queue_microtask([] {});
    });
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(microtask_drain);

// A promise, its reaction and the promise that derives: two states, one job.
void promise_drain(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  for (auto _ : state) {
    node.run_main([&] {
      for (int i = 0; i < kTasks; ++i) Promise::resolved(node).then([] {});
    });
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(promise_drain);

void immediates(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  for (auto _ : state) {
    for (int i = 0; i < kTasks; ++i) node.set_immediate([] {});
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(immediates);

void node_timeouts(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  std::vector<TimeoutId> ids;
  for (auto _ : state) {
    for (int i = 0; i < kTasks; ++i) ids.push_back(node.set_timeout([] {}, 1000));
    for (const TimeoutId id : ids) node.clear(id);
    ids.clear();
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(node_timeouts);

// The same ticks with tracing on: what a record costs.
void tick_drain_traced(benchmark::State& state) {
  auto loop = Loop::create().value();
  NodeLayer node(*loop);
  Trace& trace = loop->start_trace(8 * kTasks);
  for (auto _ : state) {
    node.run_main([&] {
      for (int i = 0; i < kTasks; ++i) node.next_tick([] {});
    });
    trace.clear();
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}
BENCHMARK(tick_drain_traced);

}  // namespace
}  // namespace refloop::node_bench
