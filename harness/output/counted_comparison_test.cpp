#include "harness/output/counted_comparison.h"

#include <gtest/gtest.h>

namespace tickmark::output {
namespace {

using stats::Verdict;

CountedQuestion question(std::vector<double> baseline, std::vector<double> candidate) {
  CountedQuestion question;
  question.workload = "sockets";
  question.metric = "instructions_per_request";
  question.title = "instructions per request";
  question.baseline = std::move(baseline);
  question.candidate = std::move(candidate);
  return question;
}

CountedComparison comparison(std::vector<CountedQuestion> questions) {
  CountedComparison comparison;
  comparison.baseline = "old";
  comparison.candidate = "new";
  comparison.questions = std::move(questions);
  return comparison;
}

const CountedQuestion kSame = question({100, 100, 100}, {100, 100, 100});
const CountedQuestion kMore = question({100, 100, 100}, {102, 102, 102});
const CountedQuestion kWild = question({100, 100, 100}, {100, 101, 102});

TEST(CountedComparison, the_gravest_question_decides) {
  EXPECT_EQ(verdict_of(comparison({kSame, kSame})), Verdict::kOk);
  EXPECT_EQ(verdict_of(comparison({kSame, kWild})), Verdict::kInconclusive);
  EXPECT_EQ(verdict_of(comparison({kWild, kSame})), Verdict::kInconclusive);
  EXPECT_EQ(verdict_of(comparison({kWild, kMore, kSame})), Verdict::kRegression);
  EXPECT_EQ(verdict_of(comparison({})), Verdict::kInconclusive);
}

TEST(CountedComparison, counts_that_disagree_are_invalid_with_the_reason_and_no_ratio) {
  const CountedComparison wild = comparison({kWild});
  const Json json = to_json(wild);
  const Json& metric = json["metrics"][0];
  EXPECT_EQ(json["exit_code"], 4);
  EXPECT_EQ(metric["valid"], false);
  EXPECT_FALSE(metric.contains("ratio"));
  EXPECT_EQ(metric["reason"],
            "the counts of new do not agree (100, 101, 102): they differ by 2 %, at most 0.1 % is allowed");
  EXPECT_EQ(metric["candidate"], Json({100.0, 101.0, 102.0})) << "what was seen stays on the record";
}

TEST(CountedComparison, a_candidate_that_alone_cannot_be_counted_is_a_regression) {
  CountedQuestion crashed = question({100}, {});
  crashed.candidate_fault = "ended by signal 11";
  EXPECT_EQ(verdict_of(comparison({crashed})), Verdict::kRegression);
  crashed.baseline_fault = "so did it";
  const CountedComparison both = comparison({crashed});
  EXPECT_EQ(verdict_of(both), Verdict::kInconclusive);
  EXPECT_EQ(outcome_of(both, crashed).why, "old could not be counted: so did it");
}

TEST(CountedComparison, a_tool_that_failed_is_invalid_with_the_reason_and_nobodys_regression) {
  CountedQuestion lost = question({100, 100, 100}, {102, 102});
  lost.tool_fault = "strace wrote nothing";
  const CountedComparison comparison_ = comparison({kSame, lost});
  EXPECT_EQ(verdict_of(comparison_), Verdict::kInconclusive);
  const Json metric = to_json(comparison_)["metrics"][1];
  EXPECT_EQ(metric["valid"], false);
  EXPECT_FALSE(metric.contains("ratio"));
  EXPECT_EQ(metric["reason"], "the count failed, which says nothing of either: strace wrote nothing");
  EXPECT_EQ(verdict_of(comparison({lost, kMore})), Verdict::kRegression) << "the other metric stands";
}

TEST(CountedComparison, what_was_free_and_is_no_more_has_no_ratio) {
  const Json metric = to_json(comparison({question({0, 0, 0}, {1, 1, 1})}))["metrics"][0];
  EXPECT_EQ(metric["verdict"], "REGRESSION");
  EXPECT_FALSE(metric.contains("ratio"));
}

TEST(CountedComparison, too_few_counts_decide_nothing) {
  const CountedComparison early = comparison({question({100, 100}, {200, 200})});
  EXPECT_EQ(verdict_of(early), Verdict::kInconclusive);
  EXPECT_EQ(outcome_of(early, early.questions[0]).why, "only 4 of 6 counts were made");
  const CountedComparison lame = comparison({question({100, 100}, {200, 200, 200})});
  EXPECT_EQ(outcome_of(lame, lame.questions[0]).why, "only 5 of 6 counts were made");
}

TEST(CountedComparison, the_document_says_what_no_count_can_tell) {
  const Json json = to_json(comparison({kMore}));
  EXPECT_EQ(json["schema"], "tickmark.counted/1");
  EXPECT_EQ(json["verdict"], "REGRESSION");
  EXPECT_NEAR(json["metrics"][0]["ratio"].get<double>(), 1.02, 1e-12);
  for (const char* word : {"kernel", "I/O", "scheduling"})
    EXPECT_NE(json["not_seen"].get<std::string>().find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace tickmark::output
