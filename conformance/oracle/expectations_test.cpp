#include "conformance/oracle/expectations.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace tickmark::conformance {
namespace {

/// A folder of expectations, and three rules they may speak of.
class ExpectationsTest : public testing::Test {
 protected:
  ExpectationsTest() : rules_(3) {
    rules_[0].id = "x/first";
    rules_[1].id = "x/second";
    rules_[2].id = "x/third";
    std::filesystem::create_directories(folder_);
  }
  Expected<Expectations> load(const std::string& yaml, const Versions& versions = {{"node", "20.1.0"}}) {
    std::ofstream(folder_ / "fake.yaml") << yaml;
    return load_expectations(folder_, "fake", versions, rules_);
  }
  std::string refusal(const std::string& yaml) {
    const auto loaded = load(yaml);
    EXPECT_FALSE(loaded) << yaml;
    return loaded ? "" : loaded.error().message;
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "expectations_test";
  std::vector<Rule> rules_;
};

TEST_F(ExpectationsTest, KnowFailuresAndReportWhatIsOutOfDate) {
  const auto expected = load("x/first: rounds down\nx/second: known\n");
  ASSERT_TRUE(expected) << expected.error().message;
  std::vector<Verdict> verdicts(3);
  for (size_t i = 0; i < 3; ++i) verdicts[i].rule = rules_[i].id;
  verdicts[0].kind = VerdictKind::pass;
  verdicts[1].kind = VerdictKind::fail;
  verdicts[2].kind = VerdictKind::crash;
  const Findings findings = compare(verdicts, *expected);
  ASSERT_EQ(findings.unexpected_failures.size(), 1u);
  EXPECT_EQ(findings.unexpected_failures[0]->rule, "x/third");
  ASSERT_EQ(findings.unexpected_passes.size(), 1u);
  EXPECT_EQ(findings.unexpected_passes[0]->rule, "x/first");
  EXPECT_EQ(verdicts[1].known, "known");
  EXPECT_EQ(verdicts[0].known + verdicts[2].known, "");
  EXPECT_TRUE(load_expectations(folder_, "nobody", {}, rules_).value().empty());
}

TEST_F(ExpectationsTest, SayOfADeviationThatItShowsSometimes) {
  const auto expected = load("x/first: {reason: depends on time, sometimes: true}\nx/second: known\n");
  ASSERT_TRUE(expected) << expected.error().message;
  std::vector<Verdict> verdicts(2);
  for (size_t i = 0; i < 2; ++i) verdicts[i].rule = rules_[i].id;
  for (Verdict& verdict : verdicts) verdict.kind = VerdictKind::pass;
  const Findings findings = compare(verdicts, *expected);
  ASSERT_EQ(findings.unexpected_passes.size(), 1u);
  EXPECT_EQ(findings.unexpected_passes[0]->rule, "x/second");
  verdicts[0].kind = VerdictKind::fail;
  EXPECT_TRUE(compare(verdicts, *expected).unexpected_failures.empty());
  EXPECT_FALSE(load("x/first: {reason: depends on time, sometimes: perhaps}\n"));
}

TEST_F(ExpectationsTest, HoldARuleThatNeverJudgedAgainstTheSuiteUnlessItIsListed) {
  const auto expected = load("x/first: its timers are too coarse\n");
  ASSERT_TRUE(expected) << expected.error().message;
  std::vector<Verdict> verdicts(2);
  for (size_t i = 0; i < 2; ++i) {
    verdicts[i].rule = rules_[i].id;
    verdicts[i].kind = VerdictKind::vacuous;
  }
  const Findings findings = compare(verdicts, *expected);
  ASSERT_EQ(findings.vacuous.size(), 1u);
  EXPECT_EQ(findings.vacuous[0]->rule, "x/second");
  EXPECT_EQ(verdicts[0].known, "its timers are too coarse");
  EXPECT_TRUE(findings.unexpected_failures.empty());
}

TEST_F(ExpectationsTest, AreForARangeOfVersions) {
  const char* const yaml =
      "x/first: {reason: old drain, thread: issue 7, until: {node: '11'}}\n"
      "x/second: {reason: new order, since: {node: '20'}}\n";
  const Expectations at_20 = load(yaml).value();
  ASSERT_EQ(at_20.size(), 1u);
  EXPECT_EQ(at_20.at("x/second").reason, "new order");
  const Expectations at_10 = load(yaml, {{"node", "10.24.1"}}).value();
  ASSERT_EQ(at_10.size(), 1u);
  EXPECT_EQ(at_10.at("x/first").reason, "old drain (issue 7)");
  EXPECT_TRUE(load(yaml, {{"node", "18.0.0"}}).value().empty());
}

TEST_F(ExpectationsTest, AreForTheModesTheyName) {
  const auto expected = load("x/first: {reason: no such event, modes: [worker]}\n");
  ASSERT_TRUE(expected) << expected.error().message;
  std::vector<Verdict> verdicts(2);
  for (Verdict& verdict : verdicts) {
    verdict.rule = "x/first";
    verdict.kind = VerdictKind::fail;
  }
  verdicts[0].mode = "worker";
  const Findings findings = compare(verdicts, *expected);
  EXPECT_EQ(verdicts[0].known, "no such event");
  ASSERT_EQ(findings.unexpected_failures.size(), 1u);
  EXPECT_EQ(findings.unexpected_failures[0], &verdicts[1]) << "a script";
  verdicts[1].kind = VerdictKind::pass;
  EXPECT_TRUE(compare(verdicts, *expected).unexpected_passes.empty());
}

TEST_F(ExpectationsTest, RefuseWhatTheyCannotMean) {
  EXPECT_NE(refusal("x/nothing: reason\n").find("no rule \"x/nothing\""), std::string::npos);
  EXPECT_NE(refusal("x/first:\n").find("\"x/first\""), std::string::npos);
  EXPECT_NE(refusal("x/first: ''\n").find("needs a reason"), std::string::npos);
  EXPECT_NE(refusal("x/first: {thread: issue 7}\n").find("needs a reason"), std::string::npos);
  EXPECT_NE(refusal("x/first: {because: x}\n").find("unknown key \"because\""), std::string::npos);
  EXPECT_NE(refusal("x/first: {reason: old, until: '11'}\n").find("\"until\" must map"), std::string::npos);
  EXPECT_NE(refusal("x/first: {reason: old, modes: [lisp]}\n").find("\"lisp\""), std::string::npos);
  EXPECT_NE(refusal("- x/first\n").find("expected a map"), std::string::npos);
  EXPECT_NE(refusal("x/first: [\n").find("not readable"), std::string::npos);
}

}  // namespace
}  // namespace tickmark::conformance
