#pragma once
// What `tickmark load` prints of a load, for people and as one JSON object (the contract of DESIGN:
// counts that add up, response and service time side by side, and whether to believe it).

#include <string>
#include <vector>

#include "harness/load/load.h"

namespace tickmark::cli {

struct LoadSummary {
  bool valid = false;
  std::vector<std::string> invalid_reasons;
  std::string text;
  std::string json;
};

/// Reasons not to believe a load, each a sentence; empty for a valid one. A slow, erring or saturated
/// server is a result, not a reason: only the ruler's own faults, and replies that were not the work asked
/// for, are.
std::vector<std::string> invalid_reasons(const load::LoadConfig& config, const load::LoadReport& report);

LoadSummary summarise(const load::LoadConfig& config, const load::LoadReport& report);

}  // namespace tickmark::cli
