// What recording costs the load generator per request: it must vanish beside a system call.

#include <array>
#include <benchmark/benchmark.h>
#include <cmath>

#include "harness/base/random.h"
#include "harness/stats/arrivals.h"
#include "harness/stats/histogram.h"
#include "harness/stats/series.h"

namespace tickmark::stats {
namespace {

std::array<Nanos, 4096> latencies() {
  SplitMix64 random(1);
  std::array<Nanos, 4096> values{};
  for (auto& v : values) v = Nanos{static_cast<int64_t>(20'000 * std::exp(random.exponential()))};
  return values;
}

void histogram_record(benchmark::State& state) {
  const auto values = latencies();
  Histogram h;
  size_t i = 0;
  for (auto _ : state) h.record(values[i++ % values.size()]);
  benchmark::DoNotOptimize(h.count());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(histogram_record);

void series_record(benchmark::State& state) {
  const auto values = latencies();
  TimeSeries series(Nanos{0}, 10s);
  size_t i = 0;
  for (auto _ : state) {
    series.record(Nanos{static_cast<int64_t>(i) % 10'000'000'000}, values[i % values.size()]);
    i += 1'000;
  }
  benchmark::DoNotOptimize(series.outside());
}
BENCHMARK(series_record);

void poisson_arrival(benchmark::State& state) {
  ArrivalSchedule schedule({ArrivalProcess::kPoisson, 50'000, 5'000, ConnectionChoice::kUniform, 1});
  for (auto _ : state) benchmark::DoNotOptimize(schedule.next());
}
BENCHMARK(poisson_arrival);

void histogram_quantile(benchmark::State& state) {
  const auto values = latencies();
  Histogram h;
  for (Nanos v : values) h.record(v);
  for (auto _ : state) benchmark::DoNotOptimize(h.quantile(0.99));
}
BENCHMARK(histogram_quantile);

void histogram_merge(benchmark::State& state) {
  Histogram total, part;
  part.record(Nanos{1'000});
  for (auto _ : state) benchmark::DoNotOptimize(total.merge(part).has_value());
}
BENCHMARK(histogram_merge);

}  // namespace
}  // namespace tickmark::stats

BENCHMARK_MAIN();
