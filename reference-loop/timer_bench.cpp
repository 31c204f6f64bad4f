// Starting, stopping and firing one timer among 1 to 1,000,000 that live, beside libuv and Asio.
//
// Deadlines lie scattered over whole milliseconds, because libuv knows no finer ones; so many are equal, and
// the order among equals counts. Asio promises no such order.
#include <benchmark/benchmark.h>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "reference-loop/peers_bench.h"
#include "reference-loop/timer.h"

namespace refloop::timer_bench {
namespace {

using std::chrono::milliseconds;

// Far enough away that none fires while it is restarted.
std::int64_t delay_ms(std::size_t i) { return static_cast<std::int64_t>(600'000 + i * 7919 % 60'000); }
std::size_t scattered(std::size_t i, std::size_t count) { return i * 6007 % count; }

// Stops and starts one of N live timers: what a connection does on every message for its idle timeout.
void timer_restart_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<Timer>(*loop));
    (void)timers.back()->start([](Timer&) {}, milliseconds(delay_ms(i)));
  }
  std::size_t i = 0;
  for (auto _ : state) {
    Timer& timer = *timers[scattered(i, count)];
    timer.stop();
    (void)timer.start([](Timer&) {}, milliseconds(delay_ms(++i)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timer_restart_refloop)->Arg(1)->Arg(1000)->Arg(1'000'000);

void timer_restart_libuv(benchmark::State& state) {
  UvLoop uv;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<uv_timer_t>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<uv_timer_t>());
    uv_timer_init(&uv.loop, timers[i].get());
    uv_timer_start(
        timers[i].get(), [](uv_timer_t*) {}, static_cast<std::uint64_t>(delay_ms(i)), 0);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    uv_timer_t* timer = timers[scattered(i, count)].get();
    uv_timer_stop(timer);
    uv_timer_start(
        timer, [](uv_timer_t*) {}, static_cast<std::uint64_t>(delay_ms(++i)), 0);
  }
  state.SetItemsProcessed(state.iterations());
  for (auto& timer : timers) uv_close(reinterpret_cast<uv_handle_t*>(timer.get()), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(timer_restart_libuv)->Arg(1)->Arg(1000)->Arg(1'000'000);

// A cancelled wait of Asio still completes: polling for that is a part of stopping.
void timer_restart_asio(benchmark::State& state) {
  asio::io_context context(1);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<asio::steady_timer>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<asio::steady_timer>(context, milliseconds(delay_ms(i))));
    timers.back()->async_wait([](const asio::error_code&) {});
  }
  std::size_t i = 0;
  for (auto _ : state) {
    asio::steady_timer& timer = *timers[scattered(i, count)];
    timer.expires_after(milliseconds(delay_ms(++i)));
    timer.async_wait([](const asio::error_code&) {});
    context.poll();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(timer_restart_asio)->Arg(1)->Arg(1000)->Arg(1'000'000);

// Starts N timers, then stops them in another order.
void timer_start_stop_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::size_t i = 0; i < count; ++i) timers.push_back(std::make_unique<Timer>(*loop));
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) (void)timers[i]->start([](Timer&) {}, milliseconds(delay_ms(i)));
    for (std::size_t i = 0; i < count; ++i) timers[scattered(i, count)]->stop();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_start_stop_refloop)->Arg(1)->Arg(1000)->Arg(1'000'000);

void timer_start_stop_libuv(benchmark::State& state) {
  UvLoop uv;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<uv_timer_t>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<uv_timer_t>());
    uv_timer_init(&uv.loop, timers.back().get());
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i)
      uv_timer_start(
          timers[i].get(), [](uv_timer_t*) {}, static_cast<std::uint64_t>(delay_ms(i)), 0);
    for (std::size_t i = 0; i < count; ++i) uv_timer_stop(timers[scattered(i, count)].get());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for (auto& timer : timers) uv_close(reinterpret_cast<uv_handle_t*>(timer.get()), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(timer_start_stop_libuv)->Arg(1)->Arg(1000)->Arg(1'000'000);

void timer_start_stop_asio(benchmark::State& state) {
  asio::io_context context(1);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<asio::steady_timer>> timers;
  for (std::size_t i = 0; i < count; ++i) timers.push_back(std::make_unique<asio::steady_timer>(context));
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) {
      timers[i]->expires_after(milliseconds(delay_ms(i)));
      timers[i]->async_wait([](const asio::error_code&) {});
    }
    for (std::size_t i = 0; i < count; ++i) timers[scattered(i, count)]->cancel();
    context.restart();
    context.poll();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_start_stop_asio)->Arg(1)->Arg(1000)->Arg(1'000'000);

// Starts N timers and, when all are due, fires them in one pass. Waiting until then is not measured.
constexpr std::size_t kFireSpreadMs = 50;

void wait_until_due(benchmark::State& state) {
  state.PauseTiming();
  std::this_thread::sleep_for(milliseconds(kFireSpreadMs + 1));
  state.ResumeTiming();
}

void timer_fire_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Timer>> timers;
  for (std::size_t i = 0; i < count; ++i) timers.push_back(std::make_unique<Timer>(*loop));
  for (auto _ : state) {
    loop->update_time();
    for (std::size_t i = 0; i < count; ++i)
      (void)timers[i]->start([](Timer&) {}, milliseconds(i * 7919 % kFireSpreadMs));
    wait_until_due(state);
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_fire_refloop)->Arg(1)->Arg(1000)->Arg(1'000'000);

void timer_fire_libuv(benchmark::State& state) {
  UvLoop uv;
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<uv_timer_t>> timers;
  for (std::size_t i = 0; i < count; ++i) {
    timers.push_back(std::make_unique<uv_timer_t>());
    uv_timer_init(&uv.loop, timers.back().get());
  }
  for (auto _ : state) {
    uv_update_time(&uv.loop);
    for (std::size_t i = 0; i < count; ++i)
      uv_timer_start(
          timers[i].get(), [](uv_timer_t*) {}, i * 7919 % kFireSpreadMs, 0);
    wait_until_due(state);
    uv_run(&uv.loop, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for (auto& timer : timers) uv_close(reinterpret_cast<uv_handle_t*>(timer.get()), nullptr);
  uv_run(&uv.loop, UV_RUN_DEFAULT);
}
BENCHMARK(timer_fire_libuv)->Arg(1)->Arg(1000)->Arg(1'000'000);

void timer_fire_asio(benchmark::State& state) {
  asio::io_context context(1);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<asio::steady_timer>> timers;
  for (std::size_t i = 0; i < count; ++i) timers.push_back(std::make_unique<asio::steady_timer>(context));
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) {
      timers[i]->expires_after(milliseconds(i * 7919 % kFireSpreadMs));
      timers[i]->async_wait([](const asio::error_code&) {});
    }
    wait_until_due(state);
    context.restart();
    context.run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_fire_asio)->Arg(1)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace refloop::timer_bench
