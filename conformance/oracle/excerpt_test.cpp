#include "conformance/oracle/excerpt.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "conformance/oracle/judge.h"

namespace tickmark::conformance {
namespace {

Rule excerpt_rule(const std::string& requirements) {
  auto parsed = parse_rule(
      "test/excerpt",
      "says: A rule for a test.\nlevel: must\nlayer: loop\nsource: this test\n"
      "scenario:\n  - timer: a\n    ms: 1\n  - timer: b\n    ms: 2\n  - timer: noise\n    ms: 3\n" +
          requirements);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Rule{});
}

/// A run of `main`, which schedules the three timers, and of `labels` in their order, a millisecond each.
RunTrace run_of(const std::vector<std::string>& labels) {
  RunTrace trace{.scenario = "test/excerpt", .status = "ok"};
  const auto add = [&](Event event, const std::string& label) -> Record& {
    Record& record = trace.records.emplace_back();
    record.event = event;
    record.label = label;
    record.time = 1ms * trace.records.size();
    return record;
  };
  add(Event::begin, "main");
  for (const char* label : {"a", "b", "noise"}) {
    Record& record = add(Event::schedule, label);
    record.site = "main";
    record.cause = "timer";
    record.ms = 5;
  }
  add(Event::end, "main");
  for (const std::string& label : labels) {
    add(Event::begin, label).phase = "timers";
    add(Event::end, label);
  }
  add(Event::quiescent, "");
  return trace;
}

std::vector<std::string> excerpt_of(const Rule& rule, const RunTrace& trace) {
  const RunVerdict verdict = judge(rule, trace);
  EXPECT_EQ(verdict.outcome, Outcome::fail);
  return excerpt(rule, trace, verdict.reason);
}

TEST(Excerpt, IsWhatTheFailureIsAboutInTheOrderOfEvents) {
  const auto lines = excerpt_of(excerpt_rule("requires: [a < b]\n"), run_of({"noise", "b", "noise", "a"}));
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "    1.000 ms  main begins", "    2.000 ms    schedules a (timer, 5 ms)",
                       "    3.000 ms    schedules b (timer, 5 ms)", "    5.000 ms  main ends",
                       "    8.000 ms  b runs (timers)", "   12.000 ms  a runs (timers)"}));
}

TEST(Excerpt, KeepsWhatTheFailureNeeds) {
  const Rule rule = excerpt_rule("requires: [a < b]\nwhen: [noise < a]\n");
  const auto lines = excerpt_of(rule, run_of({"noise", "b", "a"}));
  EXPECT_NE(std::ranges::find(lines, "    6.000 ms  noise runs (timers)"), lines.end())
      << "the guard needs it";
}

TEST(Excerpt, OfWhatNeverRanSaysThatItWasScheduled) {
  const auto lines = excerpt_of(excerpt_rule("requires: [a]\n"), run_of({"b", "noise"}));
  EXPECT_EQ(lines, (std::vector<std::string>{"    1.000 ms  main begins",
                                             "    2.000 ms    schedules a (timer, 5 ms)",
                                             "    5.000 ms  main ends"}));
}

TEST(Excerpt, OfALongRunLeavesOutTheMiddle) {
  const auto lines = excerpt_of(excerpt_rule("counts: {a: 1}\n"), run_of(std::vector<std::string>(100, "a")));
  ASSERT_EQ(lines.size(), kExcerptLinesMax);
  EXPECT_EQ(lines[kExcerptLinesMax / 2], "... 64 more events ...")
      << "of 3 lines of main and 100 of a, 39 are here";
}

}  // namespace
}  // namespace tickmark::conformance
