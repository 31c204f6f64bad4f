#pragma once
// Time is always `Nanos`, never a bare integer; JSON keys carry the unit (`latency_ns_p99`).

#include <chrono>
#include <cstdint>
#include <time.h>

namespace tickmark {

using Nanos = std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// CLOCK_MONOTONIC: the one clock of the suite, shared by all processes of a machine (about 29 ns a read).
inline Nanos now() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return Nanos{static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

inline double seconds(Nanos t) { return static_cast<double>(t.count()) / 1e9; }

inline Nanos from_seconds(double s) { return Nanos{static_cast<int64_t>(s * 1e9)}; }

}  // namespace tickmark
