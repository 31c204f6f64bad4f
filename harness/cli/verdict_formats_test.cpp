#include "harness/cli/verdict_formats.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tickmark::cli {
namespace {

using conformance::Verdict;
using conformance::VerdictKind;

Verdict verdict_of(VerdictKind kind, const std::string& rule) {
  Verdict verdict;
  verdict.rule = rule;
  verdict.subject = "toy@1";
  verdict.says = "A runs before <B>.";
  verdict.source = "its manual";
  verdict.kind = kind;
  verdict.runs = 20;
  verdict.applicable = 15;
  verdict.reproduce = "tickmark conform toy@1 --rule " + rule;
  return verdict;
}

std::vector<Verdict> one_of_each() {
  Verdict failed = verdict_of(VerdictKind::fail, "x/failed");
  failed.required = {"a < b"};
  failed.seen = {"b", "a"};
  failed.excerpt = {"1.0 ms  b runs", "2.0 ms  a runs"};
  failed.failed = 3;
  failed.reason = "a did not run before b";
  Verdict known = failed;
  known.rule = "x/known";
  known.known = "thread 7";
  Verdict skipped = verdict_of(VerdictKind::unsupported, "x/skipped");
  skipped.runs = skipped.applicable = 0;
  skipped.reason = "timer: no timers #1";
  return {verdict_of(VerdictKind::pass, "x/passed"),
          failed,
          known,
          skipped,
          verdict_of(VerdictKind::hang, "x/hung"),
          verdict_of(VerdictKind::vacuous, "x/vacuous")};
}

/// `parts` stand in `text`, in this order.
void expect_in_order(const std::string& text, const std::vector<std::string>& parts) {
  size_t at = 0;
  for (const std::string& part : parts) {
    at = text.find(part, at);
    ASSERT_NE(at, std::string::npos) << "'" << part << "' is missing or too early in:\n" << text;
  }
}

const std::vector<std::string> kToldOfAFailure{
    "A runs before", "a ", "b", "b", "a", "b runs", "a runs", "tickmark conform toy@1 --rule x/failed"};

TEST(VerdictFormats, EachTellsSaysRequiredSeenTraceAndTheCommandInThisOrder) {
  for (const std::string& text : {verdicts_text(one_of_each()), verdicts_junit(one_of_each()),
                                  verdicts_markdown(one_of_each()), verdicts_tap(one_of_each())}) {
    expect_in_order(text.substr(text.find("x/failed")), kToldOfAFailure);
  }
}

TEST(VerdictFormats, EachTellsInHowManyRunsARuleCouldBeJudged) {
  const auto passed = std::vector{verdict_of(VerdictKind::pass, "x/passed")};
  EXPECT_NE(verdicts_text(passed).find("15 of 20 runs could be judged (75.0 %)"), std::string::npos);
  EXPECT_NE(verdicts_markdown(passed).find("15 of 20 runs (75 %)"), std::string::npos);
  EXPECT_NE(verdicts_tap(passed).find("applicable in 15 of 20 runs (75 %)"), std::string::npos);
  EXPECT_NE(verdicts_junit(passed).find("name=\"applicable\" value=\"15\""), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(verdicts_json(passed))["rules"][0]["applicability"], 0.75);
}

TEST(VerdictFormats, ARuleThatAppliesManyTimesInOneRunIsJudgedInOneRun) {
  Verdict generic = verdict_of(VerdictKind::pass, "generic/x");
  generic.runs = 1;
  generic.applicable = 7000;
  EXPECT_NE(verdicts_text({generic}).find("1 of 1 runs could be judged (100.0 %)"), std::string::npos);
  EXPECT_NE(verdicts_tap({generic}).find("applicable in 7000 places of one run"), std::string::npos);
}

TEST(VerdictFormats, TapCountsAndEscapes) {
  const std::string tap = verdicts_tap(one_of_each());
  expect_in_order(
      tap, {"TAP version 14\n1..6\n", "\nok 1 - toy@1 x/passed", "\nnot ok 2 - toy@1 x/failed", "\n  ---\n",
            "\n  required:\n    - \"a < b\"\n", "\n  ...\n", "\nnot ok 3 - toy@1 x/known",
            " # TO"
            "DO known deviation: thread 7\n",
            "\nok 4 - toy@1 x/skipped # SKIP unsupported: timer: no timers \\#1\n", "\nnot ok 5 -",
            "\nnot ok 6 -"});
}

TEST(VerdictFormats, JunitCountsWhatFailedAndWhatWasSkipped) {
  const std::string junit = verdicts_junit(one_of_each());
  EXPECT_NE(junit.find("name=\"toy@1\" tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"2\""),
            std::string::npos);
  EXPECT_NE(junit.find("A runs before &lt;B&gt;."), std::string::npos);
}

}  // namespace
}  // namespace tickmark::cli
