// The loop's clock: CLOCK_MONOTONIC in nanoseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <time.h>

namespace refloop {

using Nanos = std::chrono::nanoseconds;

// Reads the clock (about 30 ns). Loop::now() is the cached one.
inline Nanos read_clock() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return Nanos{static_cast<std::int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

}  // namespace refloop
