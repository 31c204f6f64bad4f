#include "harness/run/canary.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sched.h>

namespace tickmark::run {
namespace {

constexpr size_t kPieces = 5;
// About 4 ms a piece: each step waits for the one before, some 2 ns on today's cores.
constexpr int kSteps = 2'000'000;
constexpr size_t kCanariesMin = 5;

/// Marsaglia's xorshift: no memory, no branch, nothing to predict.
uint64_t work(uint64_t state) {
  for (int i = 0; i < kSteps; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
  }
  return state;
}

template <typename Values>
Nanos median(Values values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Nanos spin_canary(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return Nanos{0};
  std::array<Nanos, kPieces> times{};
  volatile uint64_t state = 88172645463325252ULL;
  for (Nanos& time : times) {
    const Nanos begin = now();
    state = work(state);
    time = now() - begin;
  }
  return median(times);
}

double CanaryLog::spread() const {
  constexpr double kNormalMad = 1.4826;  // median absolute deviation -> standard deviation
  const Nanos middle = usual();
  if (middle <= Nanos{0}) return 0;
  std::vector<Nanos> off;
  for (const Nanos canary : seen_) off.push_back(canary < middle ? middle - canary : canary - middle);
  return kNormalMad * seconds(median(off)) / seconds(middle);
}

Nanos CanaryLog::usual() const { return seen_.size() < kCanariesMin ? Nanos{0} : median(seen_); }

}  // namespace tickmark::run
