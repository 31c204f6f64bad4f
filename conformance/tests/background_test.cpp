// The generic rules on real traces: the reference loop keeps them all. (Broken loops: mutants_test.cpp.)

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include "conformance/tests/play_background.h"
#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

TEST(Background, the_reference_loop_keeps_every_generic_rule_and_each_applies_often) {
  const auto verdicts = play_background("player_refloop", 1500ms);
  EXPECT_GE(verdicts.size(), 11u);
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << verdict.rule << ": " << verdict.reason;
    EXPECT_EQ(verdict.condition, "background");
    EXPECT_GE(verdict.applicable, kApplicableMin) << verdict.rule;
  }
}

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
