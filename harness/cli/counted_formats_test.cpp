#include "harness/cli/counted_formats.h"

#include <gtest/gtest.h>

#include "harness/cli/comparison_formats.h"

namespace tickmark::cli {
namespace {

using output::CountedComparison;
using output::CountedQuestion;

CountedComparison made_up(std::vector<double> candidate) {
  CountedQuestion question;
  question.workload = "sockets";
  question.metric = "instructions_per_request";
  question.title = "instructions per request";
  question.baseline = {2000.12, 2000.12, 2000.12};
  question.candidate = std::move(candidate);
  CountedComparison comparison;
  comparison.baseline = "old";
  comparison.candidate = "new<&>";
  comparison.requests = 5000;
  comparison.questions = {question};
  comparison.tools = {"valgrind 3.19.0"};
  comparison.folder = "tickmark-results/x";
  comparison.command = "tickmark compare old new --gate counted";
  return comparison;
}

void expect_parts(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(CountedFormats, a_regression_is_told_with_its_ratio_and_what_was_not_seen) {
  const CountedComparison more = made_up({2040.1, 2040.1, 2040.1});
  expect_parts(counted_text(more),
               {"sockets: instructions per request", "2000.1", "2040.1", "1.020", "5,000 requests",
                "valgrind 3.19.0", "+2.00 %, more than 1 %", "Not seen by counting: what the kernel",
                "\nREGRESSION: sockets: instructions per request +2.00 %\n",
                "Redo    tickmark compare old new --gate counted"});
  expect_parts(counted_junit(more),
               {"failures=\"1\"", "skipped=\"0\"", "new&lt;&amp;&gt;", "counted.sockets"});
  expect_parts(counted_markdown(more), {"### REGRESSION", "| 1.020 | REGRESSION |", "Not seen by counting"});
}

TEST(CountedFormats, what_does_not_agree_is_invalid_and_has_no_ratio) {
  const CountedComparison wild = made_up({2000, 2010, 2020});
  expect_parts(counted_text(wild),
               {"       -  INVALID", "do not agree (2000, 2010, 2020)", "\nINCONCLUSIVE: "});
  expect_parts(counted_junit(wild), {"failures=\"0\"", "skipped=\"1\"", "INVALID: the counts of new&lt;"});
  expect_parts(counted_markdown(wild), {"| - | INVALID |"});
}

TEST(CountedFormats, the_same_is_ok) {
  expect_parts(counted_text(made_up({2000.12, 2000.12, 2000.12})),
               {"1.000", "\nOK: ", "all counts within 0 %"});
}

}  // namespace
}  // namespace tickmark::cli
