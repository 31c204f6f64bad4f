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

// A loop of each library with so many timers: start(), stop() and restart() one of them; settle() does what
// the library owes for stopping; run() fires all that are due.
class OurTimers {
 public:
  explicit OurTimers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) timers_.push_back(std::make_unique<Timer>(*loop_));
  }
  void start(std::size_t i, std::int64_t ms) {
    (void)timers_[i]->start([](Timer&) {}, milliseconds(ms));
  }
  void stop(std::size_t i) { timers_[i]->stop(); }
  void restart(std::size_t i, std::int64_t ms) {
    stop(i);
    start(i, ms);
  }
  void settle() {}
  void update_time() { loop_->update_time(); }
  void run() { loop_->run(); }

 private:
  std::unique_ptr<Loop> loop_ = Loop::create().value();
  std::vector<std::unique_ptr<Timer>> timers_;
};

class UvTimers {
 public:
  explicit UvTimers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      timers_.push_back(std::make_unique<uv_timer_t>());
      uv_timer_init(&uv_.loop, timers_.back().get());
    }
  }
  ~UvTimers() {
    for (auto& timer : timers_) uv_close(reinterpret_cast<uv_handle_t*>(timer.get()), nullptr);
    run();
  }
  void start(std::size_t i, std::int64_t ms) {
    uv_timer_start(
        timers_[i].get(), [](uv_timer_t*) {}, static_cast<std::uint64_t>(ms), 0);
  }
  void stop(std::size_t i) { uv_timer_stop(timers_[i].get()); }
  void restart(std::size_t i, std::int64_t ms) {
    stop(i);
    start(i, ms);
  }
  void settle() {}
  void update_time() { uv_update_time(&uv_.loop); }
  void run() { uv_run(&uv_.loop, UV_RUN_DEFAULT); }

 private:
  UvLoop uv_;
  std::vector<std::unique_ptr<uv_timer_t>> timers_;
};

// A cancelled wait of Asio still completes: polling for that is a part of stopping.
class AsioTimers {
 public:
  explicit AsioTimers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) timers_.push_back(std::make_unique<asio::steady_timer>(context_));
  }
  void start(std::size_t i, std::int64_t ms) {
    timers_[i]->expires_after(milliseconds(ms));  // cancels what was waited for
    timers_[i]->async_wait([](const asio::error_code&) {});
  }
  void stop(std::size_t i) { timers_[i]->cancel(); }
  void restart(std::size_t i, std::int64_t ms) {
    start(i, ms);
    context_.poll();
  }
  void settle() {
    context_.restart();
    context_.poll();
  }
  void update_time() {}
  void run() {
    context_.restart();
    context_.run();
  }

 private:
  asio::io_context context_{1};
  std::vector<std::unique_ptr<asio::steady_timer>> timers_;
};

// Far enough away that none fires while it is restarted.
std::int64_t delay_ms(std::size_t i) { return static_cast<std::int64_t>(600'000 + i * 7919 % 60'000); }
std::size_t scattered(std::size_t i, std::size_t count) { return i * 6007 % count; }

// Stops and starts one of N live timers: what a connection does on every message for its idle timeout.
template <typename Timers>
void restart_one(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Timers timers(count);
  for (std::size_t i = 0; i < count; ++i) timers.start(i, delay_ms(i));
  std::size_t i = 0;
  for (auto _ : state) {
    const std::size_t one = scattered(i, count);
    timers.restart(one, delay_ms(++i));
  }
  state.SetItemsProcessed(state.iterations());
}

// Starts N timers, then stops them in another order.
template <typename Timers>
void start_stop_all(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Timers timers(count);
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) timers.start(i, delay_ms(i));
    for (std::size_t i = 0; i < count; ++i) timers.stop(scattered(i, count));
    timers.settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Starts N timers and, when all are due, fires them in one pass. Waiting until then is not measured.
template <typename Timers>
void fire_all(benchmark::State& state) {
  constexpr std::size_t kSpreadMs = 50;
  const auto count = static_cast<std::size_t>(state.range(0));
  Timers timers(count);
  for (auto _ : state) {
    timers.update_time();
    for (std::size_t i = 0; i < count; ++i) timers.start(i, static_cast<std::int64_t>(i * 7919 % kSpreadMs));
    state.PauseTiming();
    std::this_thread::sleep_for(milliseconds(kSpreadMs + 1));
    state.ResumeTiming();
    timers.run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* benchmark) { benchmark->Arg(1)->Arg(1000)->Arg(1'000'000); }

#define BESIDE_ITS_PEERS(measure, name)                               \
  BENCHMARK(measure<OurTimers>)->Name(name "_refloop")->Apply(sizes); \
  BENCHMARK(measure<UvTimers>)->Name(name "_libuv")->Apply(sizes);    \
  BENCHMARK(measure<AsioTimers>)->Name(name "_asio")->Apply(sizes)

BESIDE_ITS_PEERS(restart_one, "timer_restart");
BESIDE_ITS_PEERS(start_stop_all, "timer_start_stop");
BESIDE_ITS_PEERS(fire_all, "timer_fire");

}  // namespace
}  // namespace refloop::timer_bench
