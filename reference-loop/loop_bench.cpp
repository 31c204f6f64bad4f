// What the loop's primitives cost, each beside libuv's and Asio's where they have it: an empty turn here,
// every other primitive in the *_bench.cpp of its own name, all in one executable.
//
// Goal: regressions and ratios on one machine, from interleaved runs
// (--benchmark_enable_random_interleaving=true --benchmark_repetitions=9). Non-goal: the cost of a message,
// which is the kernel's for 97 % and is measured by the workloads. Items are operations: turns, timers,
// ticks, works, reads.
#include <benchmark/benchmark.h>

#include "reference-loop/loop.h"
#include "reference-loop/peers_bench.h"
#include "reference-loop/watcher.h"

namespace refloop::loop_bench {
namespace {

void turn_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  Idle idle(*loop);
  (void)idle.start([](Watcher&) {});
  for (auto _ : state) loop->run(RunMode::nowait);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(turn_refloop);

void turn_libuv(benchmark::State& state) {
  UvLoop uv;
  uv_idle_t idle;
  uv_idle_init(&uv.loop, &idle);
  uv_idle_start(&idle, [](uv_idle_t*) {});
  for (auto _ : state) uv_run(&uv.loop, UV_RUN_NOWAIT);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(turn_libuv);

void turn_asio(benchmark::State& state) {
  asio::io_context context(1);
  for (auto _ : state) {
    asio::post(context, [] {});
    context.poll_one();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(turn_asio);

}  // namespace
}  // namespace refloop::loop_bench

BENCHMARK_MAIN();
