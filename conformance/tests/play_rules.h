#pragma once
// Plays rules of the catalogue on a player and returns the verdicts: what the tests of this folder share.

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "conformance/oracle/conform.h"
#include "conformance/tests/run_process.h"

namespace tickmark::conformance {

inline const std::filesystem::path kSource = TICKMARK_SOURCE_DIR;
inline const std::string kBin = std::string(TICKMARK_BINARY_DIR) + "/bin/";

inline const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules = load_rules(kSource / "conformance/rules").value();
  return rules;
}

inline std::vector<Rule> select(const std::vector<std::string>& ids) {
  std::vector<Rule> rules;
  for (const Rule& rule : all_rules()) {
    if (std::ranges::find(ids, rule.id) != ids.end()) rules.push_back(rule);
  }
  return rules;
}

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Repetitions of a rule. A sanitizer watches how the code runs, and one run shows it as much as twenty do; it
// also makes each run slow, which costs guards: then only a failure accuses.
constexpr unsigned times(unsigned repeat) { return kSanitized ? 1 : repeat; }

// Of a player: the words that select virtual time.
inline std::vector<std::string> in_virtual_time(unsigned seed) {
  return {"--option", "time=virtual", "--option", "seed=" + std::to_string(seed)};
}

// Then every run has a loop and a world of its own, and no rule needs its own process.
inline bool is_virtual(const std::vector<std::string>& options) {
  return std::ranges::find(options, "time=virtual") != options.end();
}

// `options` are put behind the player's own arguments. A run that takes longer than `run_deadline` hangs.
inline std::vector<Verdict> play(const std::vector<std::string>& argv, const std::vector<Rule>& rules,
                                 unsigned repeat, const Versions& versions = {},
                                 const std::vector<std::string>& options = {}, Nanos run_deadline = 10s) {
  const ScratchFolder scratch;
  const ConformPlan plan{.subject = "player",
                         .argv = argv,
                         .versions = versions,
                         .rules = &rules,
                         .mode = "",
                         .repeat = repeat,
                         .fresh_loops = is_virtual(options),
                         .run_deadline = run_deadline,
                         .folder = scratch.path(),
                         .traces = {},
                         .progress = {}};
  const auto run = [&options](std::vector<std::string> command, Nanos deadline) {
    std::ranges::copy(options, std::back_inserter(command));
    return run_process(command, deadline);
  };
  return conform(plan, run).value();
}

inline std::string describe(const Verdict& verdict) {
  std::string text =
      verdict.rule + ": " + std::string(name_of(verdict.kind)) + ", " + verdict.reason + "; seen:";
  for (const std::string& label : verdict.seen) text += " " + label;
  return text;
}

}  // namespace tickmark::conformance
