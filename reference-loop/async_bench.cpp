// Waking a loop: from its own thread, and from another loop's thread and back, beside libuv and Asio.
#include <atomic>
#include <benchmark/benchmark.h>
#include <thread>

#include "reference-loop/async.h"
#include "reference-loop/peers_bench.h"

namespace refloop::async_bench {
namespace {

// The loop's machinery without the scheduler.
void async_same_thread_refloop(benchmark::State& state) {
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
BENCHMARK(async_same_thread_refloop);

void async_same_thread_libuv(benchmark::State& state) {
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
BENCHMARK(async_same_thread_libuv);

void async_same_thread_asio(benchmark::State& state) {
  asio::io_context context(1);
  const auto guard = asio::make_work_guard(context);
  for (auto _ : state) {
    asio::post(context, [] {});
    context.run_one();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(async_same_thread_asio);

// Two loops on two threads, each waking the other in turn: two wake-ups per iteration. The other loop
// ends when it is woken after `ended` was set.
struct Echo {
  std::unique_ptr<Loop> loop = Loop::create().value();
  Async async{*loop, [](Async& self) { static_cast<Echo*>(self.data)->woken(); }};
  Async* peer = nullptr;
  std::atomic<bool> ended{false};

  Echo() { async.data = this; }
  void woken() {
    if (ended)
      async.close();
    else
      peer->send();
  }
};

void async_cross_thread_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  Async async(*loop, [](Async&) {});
  Echo echo;
  echo.peer = &async;
  std::thread other([&] { echo.loop->run(); });
  for (auto _ : state) {
    echo.async.send();
    loop->run(RunMode::once);
  }
  state.SetItemsProcessed(state.iterations() * 2);
  echo.ended = true;
  echo.async.send();
  other.join();
  async.close();
  loop->run();
}
BENCHMARK(async_cross_thread_refloop)->UseRealTime()->MeasureProcessCPUTime();

struct UvEcho {
  UvLoop uv;
  uv_async_t async;
  uv_async_t* peer = nullptr;
  std::atomic<bool> ended{false};

  UvEcho() {
    uv_async_init(&uv.loop, &async, [](uv_async_t* self) { static_cast<UvEcho*>(self->data)->woken(); });
    async.data = this;
  }
  void woken() {
    if (ended)
      uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
    else
      uv_async_send(peer);
  }
};

void async_cross_thread_libuv(benchmark::State& state) {
  UvLoop uv;
  uv_async_t async;
  uv_async_init(&uv.loop, &async, [](uv_async_t*) {});
  UvEcho echo;
  echo.peer = &async;
  std::thread other([&] { uv_run(&echo.uv.loop, UV_RUN_DEFAULT); });
  for (auto _ : state) {
    uv_async_send(&echo.async);
    uv_run(&uv.loop, UV_RUN_ONCE);
  }
  state.SetItemsProcessed(state.iterations() * 2);
  echo.ended = true;
  uv_async_send(&echo.async);
  other.join();
  uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(async_cross_thread_libuv)->UseRealTime()->MeasureProcessCPUTime();

void async_cross_thread_asio(benchmark::State& state) {
  asio::io_context here(1);
  asio::io_context there(1);
  const auto guard_here = asio::make_work_guard(here);
  auto guard_there = asio::make_work_guard(there);
  std::thread other([&] { there.run(); });
  for (auto _ : state) {
    asio::post(there, [&] { asio::post(here, [] {}); });
    here.run_one();
  }
  state.SetItemsProcessed(state.iterations() * 2);
  guard_there.reset();
  other.join();
}
BENCHMARK(async_cross_thread_asio)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace refloop::async_bench
