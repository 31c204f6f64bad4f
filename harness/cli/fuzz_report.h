#pragma once
// What `tickmark fuzz` found, for a reader and as JSON.

#include <optional>
#include <string>
#include <vector>

#include "conformance/programs/differential.h"
#include "harness/base/time.h"

namespace tickmark::cli {

/// One subject's programs, judged.
struct Fuzzed {
  std::string subject;
  programs::Campaign campaign;
  Nanos taken{0};
  std::vector<std::string> reproduce;  ///< a command for each finding
};

struct FuzzReport {
  uint64_t seed = 0;
  std::vector<Fuzzed> subjects;
  std::optional<programs::Difference> difference;  ///< of the first two
};

bool has_finding(const FuzzReport& report);
std::string fuzz_text(const FuzzReport& report);
std::string fuzz_json(const FuzzReport& report);
/// Program, order seen, and what was wrong.
std::string finding_text(const programs::Finding& finding);

}  // namespace tickmark::cli
