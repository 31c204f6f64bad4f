// No-op work to a pool of four threads and back, N in flight at a time, beside libuv and Asio.
//
// Wall time, and the CPU time of all threads: waking threads costs more than the work does. Alone (N = 1)
// it is two wake-ups; the goal at 64 is at most 0.6 of libuv in both.
#include <benchmark/benchmark.h>
#include <vector>

#include "reference-loop/loop.h"
#include "reference-loop/peers_bench.h"
#include "reference-loop/pool.h"

namespace refloop::pool_bench {
namespace {

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
BENCHMARK(pool_refloop)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

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
BENCHMARK(pool_libuv)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

void pool_asio(benchmark::State& state) {
  asio::io_context context(1);
  asio::thread_pool pool(4);
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto guard = asio::make_work_guard(context);
  for (auto _ : state) {
    for (std::size_t i = 0; i < count; ++i) asio::post(pool, [&] { asio::post(context, [] {}); });
    for (std::size_t done = 0; done < count;) done += context.run_one();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pool_asio)->Arg(1)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

// A completion that submits again, N chains at a time: no moment at which everything has arrived.
constexpr int kChainWorks = 64;

struct Chain : UserWork {
  Loop* loop = nullptr;
  int left = 0;
  void next() {
    loop->pool().submit(
        *this, [](Work&) {},
        [](Work& self, Error) {
          auto& chain = static_cast<Chain&>(self);
          if (--chain.left > 0) chain.next();
        });
  }
};

void pool_chain_refloop(benchmark::State& state) {
  auto loop = Loop::create().value();
  std::vector<Chain> chains(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (Chain& chain : chains) {
      chain.loop = loop.get();
      chain.left = kChainWorks;
      chain.next();
    }
    loop->run();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kChainWorks);
}
BENCHMARK(pool_chain_refloop)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

struct UvChain {
  uv_work_t work;
  uv_loop_t* loop = nullptr;
  int left = 0;
  void next() {
    work.data = this;
    uv_queue_work(
        loop, &work, [](uv_work_t*) {},
        [](uv_work_t* self, int) {
          auto* chain = static_cast<UvChain*>(self->data);
          if (--chain->left > 0) chain->next();
        });
  }
};

void pool_chain_libuv(benchmark::State& state) {
  UvLoop uv;
  std::vector<UvChain> chains(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    for (UvChain& chain : chains) {
      chain.loop = &uv.loop;
      chain.left = kChainWorks;
      chain.next();
    }
    uv_run(&uv.loop, UV_RUN_DEFAULT);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * kChainWorks);
}
BENCHMARK(pool_chain_libuv)->Arg(64)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace refloop::pool_bench
