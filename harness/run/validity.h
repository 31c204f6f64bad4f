#pragma once
// When a number may be believed. One table: each rule has a name, what it voids, its threshold, and the
// sentence it prints. Validity is per metric family: a busy neighbour voids the latency of a trial, not its
// memory. Only the ruler and the machine can void; whatever the subject does is a result.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/load.h"
#include "harness/output/json_access.h"
#include "harness/process/sentinels.h"

namespace tickmark::run {

enum Family : unsigned { kLatency = 1, kThroughput = 2, kCpu = 4, kMemory = 8 };
inline constexpr unsigned kAllFamilies = kLatency | kThroughput | kCpu | kMemory;

/// What a trial was, seen by the rules.
struct TrialFacts {
  bool open_loop = true;             ///< of the main lane
  bool storm = false;                ///< counts are the result; no percentile is promised
  size_t headline_lane = 0;          ///< index into load.lanes
  double subject_cpu_share = 0;      ///< cores used by the subject's tree in the window
  Nanos canary{0}, canary_usual{0};  ///< see canary.h; 0: not measured, not known yet
  double canary_spread = 0;          ///< usual in this run, as a share
  load::LoadReport load;
  process::Environment environment;
};

/// What a threshold is, for whoever prints it.
enum class Unit { kNone, kShare, kCount, kNanos };

/// A rule whose name begins with client_ says that the load generator was at its limit: what it voids, no
/// repetition on this machine makes valid (the gate relies on that).
struct ValidityRule {
  std::string_view name;
  unsigned voids;    ///< families that lose their validity
  unsigned notes;    ///< families that only get the sentence
  bool in_storm;     ///< whether it applies to the storm scenario
  bool invalidates;  ///< the whole trial gets status `invalid`: its bookkeeping failed
  double threshold;
  Unit unit;
  /// The sentence if the rule is broken; nothing if all is well.
  std::optional<std::string> (*broken)(const TrialFacts& facts, double threshold);
  std::string_view reads;  ///< what it looks at, for docs/validity.md
};

/// All rules, in the order they are told.
std::span<const ValidityRule> validity_rules();

/// One broken rule.
struct Finding {
  const ValidityRule* rule = nullptr;
  std::string sentence;
};

std::vector<Finding> judge(const TrialFacts& facts);

/// The sentence of the first rule that makes the whole trial `invalid`; nothing if there is none.
std::optional<std::string> invalidation(std::span<const Finding> findings);

/// The `validity` object of a trial: per family whether it is valid, the sentences, and the names of the
/// rules that made it void.
output::Json validity_json(std::span<const Finding> findings);

/// Past the knee: a lane of an open loop completed less than 99 % of what was scheduled, and so many requests
/// less (10, or a tenth of a small number, at least 3) that the backlog is no accident of the window's edges.
/// The sentence, or nothing. An honest point of a curve, not an invalid one.
std::optional<std::string> saturation(const load::LoadReport& load);

}  // namespace tickmark::run
