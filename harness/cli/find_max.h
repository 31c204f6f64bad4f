#pragma once
// `tickmark load --find-max 'p99<10ms'`: the highest rate that keeps the objective.

#include <string>
#include <string_view>

#include "harness/load/knee.h"
#include "harness/load/load.h"

namespace tickmark::cli {

/// `p99<10ms`, `p99.9 < 1s`: a percentile from p50 to p99.99 and a duration.
Expected<load::Objective> parse_objective(std::string_view text);

/// One load of `config` at `rate_per_s` with arrivals of `seed`, judged by the objective. Void if the load
/// cannot be believed or is too short for the percentile. Requests without an answer count as late.
Expected<load::Probe> probe_rate(load::LoadConfig config, const load::LoadHooks& hooks,
                                 const load::Objective& objective, double rate_per_s, uint64_t seed);

/// The sentence with the interval, and one line per load.
std::string print_knee(const load::Knee& knee, std::string_view objective);
std::string knee_json(const load::Knee& knee, std::string_view objective);

}  // namespace tickmark::cli
