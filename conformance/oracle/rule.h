#pragma once
// A rule is one sentence about callback order, with its source, a scenario that provokes it, and the orders
// it requires or forbids. Its instances are the files of conformance/rules/; the file's path is its id.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "conformance/oracle/expression.h"
#include "conformance/oracle/versions.h"
#include "harness/base/error.h"

namespace tickmark::conformance {

enum class Level {
  must,         ///< documented, or relied on by everybody: a violation is a finding
  should,       ///< stable in practice and tested by its authors, not documented
  profile,      ///< an implementation's habit: recorded, never a failure
  unspecified,  ///< both orders are legal: recorded, so that nobody relies on it
};

enum class Layer {
  loop,  ///< the loop library's own interface
  node,  ///< the layer of ticks, microtasks and immediates
  wire,  ///< what arrives at the peer
};

/// How often a label's callback runs: "1", ">=1", "1..3".
struct CountRange {
  unsigned least = 0;
  unsigned most = 0;  ///< kNoLimit = any
  std::string text;

  static constexpr unsigned kNoLimit = ~0U;
};

struct Rule {
  std::string id;  ///< path below conformance/rules, without ".yaml"
  std::string says;
  std::string source;
  Level level = Level::must;
  Layer layer = Layer::loop;
  std::vector<std::string> modes{"cjs", "esm", "worker"};  ///< of a node-layer rule: where main may run
  VersionRange versions;
  Versions not_for;  ///< component a subject reports -> why the rule does not speak about its interface

  std::string workload;  ///< wire layer: what the subject serves meanwhile; "" on the others
  unsigned pool = 4;     ///< worker threads the scenario needs
  bool own_process = false;
  nlohmann::json steps = nlohmann::json::array();  ///< as docs/scenarios.md has them
  nlohmann::json run = nlohmann::json::array();    ///< the loop's turns

  std::vector<Clause> required;
  std::vector<Clause> forbidden;
  std::vector<Clause> when;  ///< guards over the measured trace; all must hold
  std::map<std::string, CountRange> counts;
  std::map<std::string, std::string> statuses;  ///< of every run of the label's callback, or of its call
  std::map<std::string, long> bytes;            ///< sum over the label's callbacks
  std::vector<std::string> observes;            ///< profile, unspecified: labels whose order is recorded

  std::string builtin;  ///< rules/generic only: the predicate of generic_rules.h; then no scenario

  /// Every requirement as text, for reports.
  std::vector<std::string> requirement_texts() const;
};

std::string_view name_of(Level level);
std::string_view name_of(Layer layer);

/// Parses and lints one rule. `id` names it in errors. Refuses unknown keys, missing sentences or sources,
/// labels nobody schedules, labels scheduled twice, and rules that require nothing.
Expected<Rule> parse_rule(const std::string& id, const std::string& yaml);

/// Every *.yaml below `root`, sorted by id. The first faulty file refuses the whole: a listed but broken rule
/// fails loudly.
Expected<std::vector<Rule>> load_rules(const std::filesystem::path& root);

}  // namespace tickmark::conformance
