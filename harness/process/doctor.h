#pragma once
// `tickmark doctor`: what is here, what would distort results, how to fix it. Looks only; changes nothing.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/process/machine.h"
#include "harness/process/registry.h"

namespace tickmark::process {

enum class CheckStatus { kOk, kWarn, kBad };

struct Check {
  std::string name;  ///< snake_case, stable: "descriptors", "subject_node"
  CheckStatus status = CheckStatus::kOk;
  std::string seen;    ///< what is here
  std::string advice;  ///< what to do, with the command; "" if nothing
};

/// All checks, about 0.5 s plus one `describe` per subject. `registry` may be null (then subjects are left
/// out).
std::vector<Check> examine(const Machine& machine, Registry* registry);

std::string_view to_text(CheckStatus status);  ///< ok | warn | bad
nlohmann::json to_json(const Check& check);

}  // namespace tickmark::process
