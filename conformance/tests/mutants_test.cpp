// Each mutant is killed by the rules its file names, and where a fault shows in the loop's own trace, by a
// generic rule; one that differs within what the rules allow is killed by none. Not part of sanitized builds:
// what a broken loop does to memory is not the point.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "conformance/tests/mutant_files.h"
#include "conformance/tests/play_background.h"
#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

std::vector<Mutant> all_mutants() { return read_mutants(kSource / "conformance/mutants"); }

// Repetitions within which a mutant must be killed.
constexpr unsigned kRepeat = 3;
// Many a fault is that the loop never ends, and each of those costs this.
constexpr Nanos kHangs = 1s;

std::vector<Mutant> mutants_that_are(bool equivalent) {
  auto mutants = all_mutants();
  std::erase_if(mutants, [=](const Mutant& mutant) { return mutant.equivalent != equivalent; });
  return mutants;
}

class EachMutant : public testing::TestWithParam<Mutant> {};

TEST_P(EachMutant, is_killed_by_every_rule_its_file_names) {
  const Mutant& mutant = GetParam();
  const auto rules = select(mutant.killed_by);
  ASSERT_FALSE(rules.empty());
  ASSERT_EQ(rules.size(), mutant.killed_by.size()) << "a rule that does not exist is named";
  for (const Verdict& verdict : play({kBin + "mutant_" + mutant.name}, rules, kRepeat, {}, {}, kHangs)) {
    EXPECT_TRUE(verdict.is_violation()) << describe(verdict);
  }
}

TEST_P(EachMutant, is_killed_in_virtual_time_too) {
  const Mutant& mutant = GetParam();
  for (const Verdict& verdict : play({kBin + "mutant_" + mutant.name}, select(mutant.killed_by), kRepeat, {},
                                     in_virtual_time(1), kHangs)) {
    EXPECT_TRUE(verdict.is_violation()) << describe(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Mutants, EachMutant, testing::ValuesIn(mutants_that_are(false)),
                         [](const auto& each) { return each.param.name; });

// Too strict a rule would fail here: what these do differently nobody promises.
class EquivalentMutant : public testing::TestWithParam<Mutant> {};

TEST_P(EquivalentMutant, survives_every_must_and_should_rule) {
  for (const Verdict& verdict : play({kBin + "mutant_" + GetParam().name}, all_rules(), kRepeat)) {
    EXPECT_FALSE(verdict.is_violation()) << describe(verdict);
  }
}

TEST_P(EquivalentMutant, survives_in_virtual_time_too) {
  for (const Verdict& verdict :
       play({kBin + "mutant_" + GetParam().name}, all_rules(), 20, {}, in_virtual_time(3))) {
    EXPECT_FALSE(verdict.is_violation()) << describe(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(Mutants, EquivalentMutant, testing::ValuesIn(mutants_that_are(true)),
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

struct Conviction {
  std::string mutant;
  std::string rule;
};

class BrokenLoop : public testing::TestWithParam<Conviction> {};

TEST_P(BrokenLoop, is_convicted_by_the_generic_rule) {
  const auto verdicts = play_background("mutant_" + GetParam().mutant, 500ms);
  const auto found = std::ranges::find(verdicts, "generic/" + GetParam().rule, &Verdict::rule);
  ASSERT_NE(found, verdicts.end());
  EXPECT_EQ(found->kind, VerdictKind::fail) << found->reason;
  EXPECT_FALSE(found->reason.empty());
}

INSTANTIATE_TEST_SUITE_P(Mutants, BrokenLoop,
                         testing::Values(Conviction{"microtasks_before_ticks", "ticks_before_microtasks"},
                                         Conviction{"drain_once_per_phase", "queues_drain_after_callbacks"},
                                         Conviction{"immediates_in_same_pass", "immediates_in_their_turn"},
                                         Conviction{"timers_lifo_at_equal_due", "timers_ordered_in_pass"},
                                         Conviction{"timer_early", "timers_never_early"},
                                         Conviction{"pool_completion_twice", "requests_complete_once"},
                                         Conviction{"canceled_work_lost", "requests_complete_once"},
                                         Conviction{"timers_before_check", "phases_keep_their_cycle"},
                                         Conviction{"closing_before_check", "phases_keep_their_cycle"}),
                         [](const auto& each) { return each.param.mutant; });

}  // namespace
}  // namespace tickmark::conformance
