// The generic rules on real traces: the reference loop keeps them all, and broken loops are convicted.
#include "conformance/oracle/background.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include "conformance/tests/run_process.h"

namespace tickmark::conformance {
namespace {

const std::vector<Rule>& all_rules() {
  static const std::vector<Rule> rules =
      load_rules(std::string(TICKMARK_SOURCE_DIR) + "/conformance/rules").value();
  return rules;
}

std::vector<Verdict> play(const std::string& player, Nanos duration) {
  const ScratchFolder scratch;
  const auto scenario = scratch.path() / "background.json";
  const auto trace = scratch.path() / "trace.ndjson";
  EXPECT_TRUE(write_background_scenario(scenario, 7, duration, 60s));
  const auto result = run_process({std::string(TICKMARK_BINARY_DIR) + "/bin/" + player, "play", "--scenarios",
                                   scenario.string(), "--trace", trace.string()},
                                  90s);
  EXPECT_TRUE(result && result->exit_code == 0 && result->signal == 0) << result->stderr_tail;
  return judge_background(trace, all_rules(), "reference_loop").value();
}

TEST(Background, the_reference_loop_keeps_every_generic_rule_and_each_applies_often) {
  const auto verdicts = play("player_refloop", 1500ms);
  EXPECT_GE(verdicts.size(), 11u);
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << verdict.rule << ": " << verdict.reason;
    EXPECT_EQ(verdict.condition, "background");
    EXPECT_GE(verdict.applicable, kApplicableMin) << verdict.rule;
  }
}

struct Conviction {
  std::string mutant;
  std::string rule;
};

class BrokenLoop : public testing::TestWithParam<Conviction> {};

TEST_P(BrokenLoop, is_convicted_by_the_generic_rule) {
  const auto verdicts = play("mutant_" + GetParam().mutant, 500ms);
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

TEST(Background, a_trace_too_short_to_prove_anything_is_vacuous) {
  const ScratchFolder scratch;
  const auto trace = scratch.path() / "short.ndjson";
  std::ofstream(trace)
      << R"({"event":"trace","schema":"tickmark.trace/1","kind":"background"})"
      << "\n"
      << R"({"event":"call","cause":"timer","phase":"timers","iteration":1,"id":1,"due_ns":5,"loop_now_ns":9})"
      << "\n";
  const auto verdicts = judge_background(trace, all_rules(), "x").value();
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, VerdictKind::vacuous) << verdict.rule;
  }
  std::ofstream(trace) << R"({"event":"trace","schema":"tickmark.trace/2","kind":"background"})"
                       << "\n";
  EXPECT_FALSE(judge_background(trace, all_rules(), "x"));
}

}  // namespace
}  // namespace tickmark::conformance
