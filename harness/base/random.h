#pragma once
// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"): the one
// generator of the suite. Small, seedable, and easy to restate in any language: the wire contract of
// the crypto workload is defined by it (docs/workloads.md).

#include <cmath>
#include <cstdint>

namespace tickmark {

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1) with 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Uniform in [0, bound); bound > 0. Multiply-shift: bias below 2^-32 for the bounds used here.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  /// Exponential with mean 1 (Poisson inter-arrivals).
  double exponential() { return -std::log1p(-uniform()); }

 private:
  uint64_t state_;
};

}  // namespace tickmark
