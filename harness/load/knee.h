#pragma once
// The highest rate at which a server keeps an objective ('p99<10ms'), by a search each of whose steps is a
// load of the open loop that may be believed. The answer is an interval: at its lower end the objective was
// kept, at its upper end it was broken, each in two of three loads with different arrivals.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::load {

/// "The q-quantile of the response time stays below the limit."
struct Objective {
  double q = 0.99;
  Nanos limit{0};
};

enum class Outcome { kept, broken, void_ };

/// One load of the search.
struct Probe {
  double rate_per_s = 0;
  uint64_t seed = 0;
  Outcome outcome = Outcome::void_;
  Nanos value{0};      ///< the quantile seen; of a broken one, at least this
  std::string reason;  ///< of a void one: why it cannot be believed
};

struct Knee {
  double kept_per_s = 0;      ///< 0: broken even at the lowest rate tried
  double broken_per_s = 0;    ///< 0: never broken below where loads cannot be believed, or the highest rate
  std::vector<Probe> probes;  ///< all, in the order in which they ran
  std::string open_end;       ///< why an end is open; "" if neither is
};

struct KneePlan {
  double start_per_s = 1000;
  double lowest_per_s = 1;
  double highest_per_s = 10e6;
  double precision = 0.05;  ///< the search stops when broken / kept is at most 1 + precision
  uint64_t seed = 1;        ///< of the first load; each later one has the next
};

/// Runs one load. An error ends the search.
using RunProbe = std::function<Expected<Probe>(double rate_per_s, uint64_t seed)>;

Expected<Knee> find_knee(const KneePlan& plan, const RunProbe& run);

}  // namespace tickmark::load
