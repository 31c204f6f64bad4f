// The catalogue against real loops: the reference loop passes everything, each mutant is killed by the rules
// its file names, and an old libuv fails the rules of a newer one.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <yaml-cpp/yaml.h>

#include "conformance/oracle/conform.h"
#include "conformance/tests/run_process.h"

namespace tickmark::conformance {
namespace {

const std::filesystem::path kSource = TICKMARK_SOURCE_DIR;
const std::string kBin = std::string(TICKMARK_BINARY_DIR) + "/bin/";

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules = load_rules(kSource / "conformance/rules").value();
  return rules;
}

std::vector<Rule> select(const std::vector<std::string>& ids) {
  std::vector<Rule> rules;
  for (const Rule& rule : all_rules()) {
    if (std::ranges::find(ids, rule.id) != ids.end()) rules.push_back(rule);
  }
  return rules;
}

std::vector<Verdict> play(const std::vector<std::string>& argv, const std::vector<Rule>& rules,
                          unsigned repeat, const Versions& versions = {}) {
  const ScratchFolder scratch;
  const ConformPlan plan{.subject = "player",
                         .argv = argv,
                         .versions = versions,
                         .rules = &rules,
                         .mode = "",
                         .repeat = repeat,
                         .run_deadline = 3s,
                         .folder = scratch.path(),
                         .traces = {},
                         .progress = {}};
  return conform(plan, run_process).value();
}

std::string describe(const Verdict& verdict) {
  std::string text =
      verdict.rule + ": " + std::string(name_of(verdict.kind)) + ", " + verdict.reason + "; seen:";
  for (const std::string& label : verdict.seen) text += " " + label;
  return text;
}

TEST(Players, the_reference_loop_passes_every_rule_twenty_times) {
  const auto verdicts = play({kBin + "player_refloop"}, all_rules(), 20);
  EXPECT_GE(verdicts.size(), 80u);
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << describe(verdict);
    EXPECT_EQ(verdict.runs, 20u) << verdict.rule;
  }
}

TEST(Players, libuv_passes_what_it_can_be_asked) {
  const auto verdicts = play({kBin + "player_libuv"}, all_rules(), 20, {{"uv", UV_VERSION_TEXT}});
  unsigned passed = 0;
  for (const Verdict& verdict : verdicts) {
    EXPECT_TRUE(verdict.kind == VerdictKind::pass || verdict.kind == VerdictKind::unsupported ||
                verdict.kind == VerdictKind::inapplicable)
        << describe(verdict);
    passed += verdict.kind == VerdictKind::pass ? 1 : 0;
    EXPECT_TRUE(verdict.kind == VerdictKind::pass || !verdict.reason.empty()) << verdict.rule;
  }
  EXPECT_GE(passed, 40u);
}

TEST(Players, an_old_libuv_judged_by_the_rules_of_a_newer_one_fails_them) {
  if (compare_versions(UV_VERSION_TEXT, "1.45") >= 0) GTEST_SKIP() << "this libuv is not older than 1.45";
  const std::vector<std::string> ids{"loop/nowait_runs_timers_last", "loop/once_fires_a_repeating_timer_once",
                                     "loop/unreferenced_timer_due_in_last_turn_runs",
                                     "timers/timer_started_in_a_pass_waits",
                                     "timers/restarted_sibling_waits"};
  for (const Verdict& verdict : play({kBin + "player_libuv"}, select(ids), 5, {{"uv", UV_VERSION_TEXT}})) {
    EXPECT_EQ(verdict.kind, VerdictKind::inapplicable) << describe(verdict);
    EXPECT_NE(verdict.reason.find("needs uv >= 1.4"), std::string::npos) << verdict.reason;
  }
  const auto judged = play({kBin + "player_libuv"}, select(ids), 5, parse_as("libuv@1.52").value());
  ASSERT_EQ(judged.size(), ids.size());
  for (const Verdict& verdict : judged) EXPECT_EQ(verdict.kind, VerdictKind::fail) << describe(verdict);
}

struct Mutant {
  std::string name;
  std::vector<std::string> killed_by;
};

std::vector<Mutant> all_mutants() {
  std::vector<Mutant> mutants;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "conformance/mutants")) {
    if (entry.path().extension() != ".yaml") continue;
    const YAML::Node document = YAML::LoadFile(entry.path().string());
    mutants.push_back({entry.path().stem().string(), document["killed_by"].as<std::vector<std::string>>()});
  }
  std::ranges::sort(mutants, {}, &Mutant::name);
  return mutants;
}

class EachMutant : public testing::TestWithParam<Mutant> {};

TEST_P(EachMutant, is_killed_by_every_rule_its_file_names) {
  const Mutant& mutant = GetParam();
  const auto rules = select(mutant.killed_by);
  ASSERT_FALSE(rules.empty());
  ASSERT_EQ(rules.size(), mutant.killed_by.size()) << "a rule that does not exist is named";
  for (const Verdict& verdict : play({kBin + "mutant_" + mutant.name}, rules, 10)) {
    EXPECT_TRUE(verdict.is_violation()) << describe(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Mutants, EachMutant, testing::ValuesIn(all_mutants()),
                         [](const auto& each) { return each.param.name; });

TEST(Mutants, every_fault_the_loop_offers_has_a_file) {
  std::ifstream header(kSource / "reference-loop/mutant.h");
  std::stringstream text;
  text << header.rdbuf();
  const std::string all = text.str();
  const size_t first = all.find("none,");
  ASSERT_NE(first, std::string::npos);
  std::istringstream lines(all.substr(first + 5, all.find("};", first) - first - 5));
  unsigned faults = 0;
  for (std::string line; std::getline(lines, line);) {
    const size_t comma = line.find(',');
    if (comma == std::string::npos || line.find("//") < comma) continue;
    const std::string name = line.substr(line.find_first_not_of(' '), comma - line.find_first_not_of(' '));
    EXPECT_TRUE(std::filesystem::exists(kSource / "conformance/mutants" / (name + ".yaml"))) << name;
    ++faults;
  }
  EXPECT_EQ(faults, all_mutants().size());
}

}  // namespace
}  // namespace tickmark::conformance
