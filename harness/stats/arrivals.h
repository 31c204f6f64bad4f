#pragma once
// The seeded schedule of an open load: when each request is meant to be sent, and on which connection.
// It knows nothing of replies, so that a slow subject cannot slow down its own exam; and it is a function
// of its seed, so that every subject of a block sits the same one (common random numbers).

#include <cassert>
#include <cmath>
#include <cstdint>

#include "harness/base/random.h"
#include "harness/base/time.h"

namespace tickmark::stats {

enum class ArrivalProcess {
  kConstant,  ///< request i at i / rate
  kPoisson,   ///< exponential gaps of mean 1 / rate
};

enum class ConnectionChoice { kUniform, kRoundRobin };

struct Arrival {
  uint64_t index = 0;       ///< 0, 1, 2, ...
  Nanos intended{};         ///< from the start of the load; never decreases
  uint32_t connection = 0;  ///< in [0, connections)
};

/// Generates arrivals lazily and without end; 16 bytes of state per stream. Times do not depend on the number
/// of connections or on how they are chosen. Not rounded cumulatively: the n-th constant arrival is exact to
/// 1 ns.
class ArrivalSchedule {
 public:
  struct Options {
    ArrivalProcess process = ArrivalProcess::kPoisson;
    double rate_per_s = 1;     ///< > 0 and finite, of all connections together
    uint32_t connections = 1;  ///< >= 1
    ConnectionChoice choice = ConnectionChoice::kUniform;
    uint64_t seed = 1;
  };

  explicit ArrivalSchedule(const Options& options)
      : options_(options), times_(SplitMix64(options.seed).next()), connections_(second(options.seed)) {
    assert(std::isfinite(options.rate_per_s) && options.rate_per_s > 0 && options.connections > 0);
  }

  Arrival next() {
    const uint64_t index = next_index_++;
    if (options_.process == ArrivalProcess::kConstant) {
      at_ns_ = static_cast<double>(index) * 1e9 / options_.rate_per_s;
    } else {
      at_ns_ += times_.exponential() * 1e9 / options_.rate_per_s;
    }
    const uint64_t connection = options_.choice == ConnectionChoice::kUniform
                                    ? connections_.below(options_.connections)
                                    : index % options_.connections;
    return {index, Nanos{std::llround(at_ns_)}, static_cast<uint32_t>(connection)};
  }

 private:
  static uint64_t second(uint64_t seed) {
    SplitMix64 seeds(seed);
    seeds.next();
    return seeds.next();
  }

  Options options_;
  SplitMix64 times_;
  SplitMix64 connections_;
  uint64_t next_index_ = 0;
  double at_ns_ = 0;  // 2^53 ns are 104 days
};

}  // namespace tickmark::stats
