#pragma once
// A rule's `scenario:` in YAML becomes the `steps` of docs/scenarios.md, checked on the way: players in any
// language may then trust what they get.

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "harness/base/error.h"

namespace YAML {
class Node;
}

namespace tickmark::conformance {

/// What a scenario's steps have been found to say.
struct Steps {
  nlohmann::json steps = nlohmann::json::array();
  std::set<std::string> callbacks;  ///< labels of callbacks, `main` included
  std::set<std::string> calls;      ///< labels of verbs without a callback
  std::set<std::string> things;     ///< those of them that name what the verb makes
  std::set<std::string> targets;    ///< handles and labels that steps refer to
  bool on_the_wire = false;         ///< some verb is a client's
  bool in_the_loop = false;         ///< some verb is a program's
};

/// Appends the steps of `list` to `into.steps`. Errors are one sentence without the rule's name.
Expected<void> read_steps(const YAML::Node& list, Steps& into);

/// The `run:` list: turns of the loop, with steps executed before them.
Expected<nlohmann::json> read_turns(const YAML::Node& list, Steps& into);

/// That every target is something the scenario schedules.
Expected<void> check_targets(const Steps& steps);

}  // namespace tickmark::conformance
