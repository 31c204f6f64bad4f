// Which rule kills which mutant: kills REPEAT RULES MUTANTS BIN
// Plays every must and should rule on every mutant in virtual time and prints a table:
// how many rules kill each mutant, and for each rule the mutants that it alone kills.
#include <cstdlib>
#include <fmt/format.h>
#include <iterator>
#include <map>

#include "conformance/oracle/conform.h"
#include "conformance/tests/mutant_files.h"
#include "conformance/tests/run_process.h"

using namespace tickmark;
using namespace tickmark::conformance;

namespace {

// In virtual time a run that takes this long by the wall clock goes on for ever.
constexpr Nanos kRunDeadline = 1s;
constexpr size_t kNamedMost = 4;

using Kills = std::map<std::string, std::vector<std::string>>;  // by mutant: rules

std::vector<std::string> killers(const std::string& player, const std::vector<Rule>& rules, unsigned repeat) {
  const ScratchFolder scratch;
  const ConformPlan plan{.subject = "mutant",
                         .argv = {player},
                         .versions = {},
                         .rules = &rules,
                         .mode = "",
                         .repeat = repeat,
                         .run_deadline = kRunDeadline,
                         .folder = scratch.path(),
                         .traces = {},
                         .progress = {}};
  const auto in_virtual_time = [](std::vector<std::string> command, Nanos deadline) {
    for (const char* word : {"--option", "time=virtual", "--option", "seed=1"}) command.emplace_back(word);
    return run_process(command, deadline);
  };
  std::vector<std::string> found;
  const auto verdicts = conform(plan, in_virtual_time);
  if (!verdicts) {
    fmt::print(stderr, "{}: {}\n", player, verdicts.error().message);
    std::exit(3);
  }
  for (const Verdict& verdict : *verdicts) {
    if (verdict.is_violation()) found.push_back(verdict.rule);
  }
  return found;
}

void print_by_mutant(const std::vector<Mutant>& mutants, const Kills& kills) {
  fmt::print("## By mutant\n\n| mutant | what it does | rules that kill it |\n|---|---|---|\n");
  for (const Mutant& mutant : mutants) {
    const auto& by = kills.at(mutant.name);
    std::string text;
    for (size_t i = 0; i < std::min(by.size(), kNamedMost); ++i) text += (i == 0 ? "" : ", ") + by[i];
    if (by.size() > kNamedMost) text += fmt::format(" and {} more", by.size() - kNamedMost);
    fmt::print("| `{}` | {} | {} |\n", mutant.name, mutant.says,
               mutant.equivalent ? (by.empty() ? "none: it is equivalent" : "WRONGLY: " + text)
               : by.empty()      ? "NONE"
                                 : text);
  }
}

void print_by_rule(const std::vector<Mutant>& mutants, const Kills& kills, size_t rules) {
  std::map<std::string, std::vector<std::string>> alone;
  for (const Mutant& mutant : mutants) {
    const auto& by = kills.at(mutant.name);
    if (by.size() == 1) alone[by.front()].push_back(mutant.name);
  }
  fmt::print("\n## Mutants that only one rule kills\n\n{} of {} rules kill a mutant that no other kills.\n\n",
             alone.size(), rules);
  fmt::print("| rule | kills alone |\n|---|---|\n");
  for (const auto& [rule, names] : alone) fmt::print("| {} | {} |\n", rule, fmt::join(names, ", "));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: {} REPEAT RULES MUTANTS BIN\n", argv[0]);
    return 2;
  }
  const auto repeat = static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10));
  auto rules = load_rules(argv[2]);
  if (!rules || repeat == 0) {
    fmt::print(stderr, "{}\n", rules ? "REPEAT must be a number from 1" : rules.error().message);
    return 2;
  }
  std::erase_if(*rules, [](const Rule& rule) {
    return !rule.builtin.empty() || rule.layer == Layer::wire ||
           (rule.level != Level::must && rule.level != Level::should);
  });
  const auto mutants = read_mutants(argv[3]);
  Kills kills;
  for (const Mutant& mutant : mutants)
    kills[mutant.name] = killers(std::string(argv[4]) + "/mutant_" + mutant.name, *rules, repeat);
  fmt::print("# Mutants and the rules that kill them\n\n");
  fmt::print(
      "Which rules fail which broken loop, and which mutants would go unseen without one of them.\n\n"
      "Written by `cmake --build build --target conformance_mutants conformance_kills && "
      "build/bin/conformance_kills {} conformance/rules conformance/mutants build/bin > docs/kills.md`: {} "
      "mutants of "
      "the reference loop, {} must and should rules with a scenario, each played {} times in virtual "
      "time.\n\n",
      repeat, mutants.size(), rules->size(), repeat);
  print_by_mutant(mutants, kills);
  print_by_rule(mutants, kills, rules->size());
}
