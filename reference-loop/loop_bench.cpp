// What the loop's primitives cost, each beside libuv's where libuv has it.
//
// Goal: regressions and ratios on one machine. Non-goal: the cost of a message, which is the kernel's for
// 97 % and is measured by the workloads. Items per second are operations: turns, timers, ticks, works.
#include <benchmark/benchmark.h>
#include <memory>
#include <uv.h>
#include <vector>

#include "reference-loop/async.h"
#include "reference-loop/node_layer.h"
#include "reference-loop/pool.h"
#include "reference-loop/timer.h"

namespace refloop {
namespace {

using namespace std::chrono_literals;

// A libuv loop that closes whatever is left in it.
struct UvLoop {
  UvLoop() { uv_loop_init(&loop); }
  ~UvLoop() {
    uv_walk(
        &loop,
        [](uv_handle_t* handle, void*) {
          if (!uv_is_closing(handle)) uv_close(handle, nullptr);
        },
        nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  uv_loop_t loop;
};

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

// Deadlines spread over a second, as those of many connections are.
std::int64_t delay_ms(std::size_t i) { return static_cast<std::int64_t>(1000 + i * 7919 % 1000); }

// Restarts one of N live timers: what a connection does on every message for its idle timeout.
void timer_restart_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  std::vector<std::unique_ptr<Timer>> timers;
  const auto count = static_cast<std::size_t>(state.range(0));
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<Timer>(*loop));
    (void)timers.back()->start([](Timer&) {}, std::chrono::milliseconds(delay_ms(i)));
  }
  std::size_t i = 0;
  for (auto _ : state) {
    Timer& timer = *timers[i * 6007 % count];
    timer.stop();
    (void)timer.start([](Timer&) {}, std::chrono::milliseconds(delay_ms(++i)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timer_restart_refloop)->Arg(1)->Arg(1000)->Arg(100'000);

void timer_restart_libuv(benchmark::State& state) {
  UvLoop uv;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<uv_timer_t> timers(count);
  for (std::size_t i = 0; i < count; ++i) {
    uv_timer_init(&uv.loop, &timers[i]);
    uv_timer_start(
        &timers[i], [](uv_timer_t*) {}, static_cast<std::uint64_t>(delay_ms(i)), 0);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    uv_timer_t* timer = &timers[i * 6007 % count];
    uv_timer_stop(timer);
    uv_timer_start(
        timer, [](uv_timer_t*) {}, static_cast<std::uint64_t>(delay_ms(++i)), 0);
  }
  state.SetItemsProcessed(state.iterations());
  uv_walk(
      &uv.loop, [](uv_handle_t* handle, void*) { uv_close(handle, nullptr); }, nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(timer_restart_libuv)->Arg(1)->Arg(1000)->Arg(100'000);

// Starts N due timers and fires them all.
void timer_fire_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) timers.push_back(std::make_unique<Timer>(*loop));
  for (auto _ : state) {
    for (auto& timer : timers) (void)timer->start([](Timer&) {}, 0ns);
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_fire_refloop)->Arg(1)->Arg(1000)->Arg(100'000);

void timer_fire_libuv(benchmark::State& state) {
  UvLoop uv;
  std::vector<uv_timer_t> timers(static_cast<std::size_t>(state.range(0)));
  for (auto& timer : timers) uv_timer_init(&uv.loop, &timer);
  for (auto _ : state) {
    for (auto& timer : timers)
      uv_timer_start(
          &timer, [](uv_timer_t*) {}, 0, 0);
    uv_run(&uv.loop, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for (auto& timer : timers) uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(timer_fire_libuv)->Arg(1)->Arg(1000)->Arg(100'000);

// A thread that wakes itself: eventfd, poll, callback, without the scheduler.
void async_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  Async async(*loop, [](Async&) {});
  for (auto _ : state) {
    async.send();
    loop->run(RunMode::once);
  }
  state.SetItemsProcessed(state.iterations());
  async.close();
  loop->run();
}
BENCHMARK(async_refloop);

void async_libuv(benchmark::State& state) {
  UvLoop uv;
  uv_async_t async;
  uv_async_init(&uv.loop, &async, [](uv_async_t*) {});
  for (auto _ : state) {
    uv_async_send(&async);
    uv_run(&uv.loop, UV_RUN_ONCE);
  }
  state.SetItemsProcessed(state.iterations());
  uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(async_libuv);

// No-op works there and back, N in flight at a time.
void pool_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  std::vector<UserWork> works(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (UserWork& work : works)
      loop->pool().submit(
          work, [](Work&) {}, [](Work&, Error) {});
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pool_refloop)->Arg(1)->Arg(64)->UseRealTime();

void pool_libuv(benchmark::State& state) {
  UvLoop uv;
  std::vector<uv_work_t> works(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (uv_work_t& work : works)
      uv_queue_work(
          &uv.loop, &work, [](uv_work_t*) {}, [](uv_work_t*, int) {});
    uv_run(&uv.loop, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pool_libuv)->Arg(1)->Arg(64)->UseRealTime();

// libuv has no ticks, microtasks or immediates: these stand alone.
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
}  // namespace refloop

BENCHMARK_MAIN();
