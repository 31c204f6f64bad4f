#include "harness/cli/comparison_formats.h"

#include <gtest/gtest.h>

namespace tickmark::cli {
namespace {

using output::Comparison;

/// A comparison of one metric whose blocks show `log_ratio` each.
Comparison made_up(double log_ratio) {
  Comparison comparison;
  comparison.baseline = "old";
  comparison.candidate = "new<&>";
  comparison.family = {{"sockets/open/1000/r8000", "cpu_ns_per_request", "ns", "cpu", false, 0.03}};
  comparison.rules = output::gate_rules(comparison.family);
  comparison.values = {{{10'000, 11'000}, {10'200, 11'220}}};
  comparison.command = "tickmark compare old new --seed 1";
  stats::Gate gate(comparison.rules);
  for (int block = 0; !gate.ended(); ++block) {
    gate.add(std::vector<double>{log_ratio + (block % 2 == 0 ? 0.001 : -0.001)});
  }
  comparison.result = gate.result();
  return comparison;
}

TEST(ComparisonFormats, a_regression_is_told_with_its_interval_and_its_confirmation) {
  const Comparison slow = made_up(0.0953);
  const std::string text = comparison_text(slow);
  for (const char* part : {"CPU per request", "10.10 us", "11.11 us", "+10.0 % [+9.9, +10.1]", "REGRESSION",
                           "again +10.0 %", "in 12 new ones", "Redo    tickmark compare old new --seed 1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("\x1b"), std::string::npos);
  const std::string junit = comparison_junit(slow);
  EXPECT_NE(junit.find("failures=\"1\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("new&lt;&amp;&gt;"), std::string::npos) << junit;
  EXPECT_EQ(output::to_json(slow)["verdict"], "REGRESSION");
}

TEST(ComparisonFormats, equal_is_ok_and_says_what_is_refuted) {
  const Comparison same = made_up(0);
  EXPECT_NE(comparison_text(same).find("a slowdown of 3 % or more is refuted"), std::string::npos);
  EXPECT_NE(comparison_junit(same).find("failures=\"0\" errors=\"0\" skipped=\"0\""), std::string::npos);
  EXPECT_NE(comparison_markdown(same).find("| OK |"), std::string::npos);
}

TEST(ComparisonFormats, what_a_covariate_explained_is_told_with_what_the_plain_values_say) {
  Comparison comparison = made_up(0);
  comparison.family[0].covariate = "run_queue_wait_ns_per_request";
  EXPECT_EQ(comparison_text(comparison).find("explains"), std::string::npos);
  stats::MetricLook& seen = comparison.result.looks.back().metrics[0];
  seen.slope = -0.14;
  seen.spread = 0.014;
  seen.plain_spread = 0.072;
  seen.plain = {0.02, 12, stats::Interval{-0.01, 0.05}};
  const std::string text = comparison_text(comparison);
  EXPECT_NE(text.find("CPU per request is told without what run-queue wait explains (slope -0.14); with it "
                      "+2.0 % [-1.0, +5.1], and blocks differ by 7.2 % instead of 1.4 %"),
            std::string::npos)
      << text;
}

TEST(ComparisonFormats, what_was_void_too_often_is_named_with_its_reason_wherever_the_verdict_stands) {
  Comparison comparison = made_up(0);
  comparison.family.push_back({"sockets/closed/64", "throughput_per_s", "1/s", "throughput", true, 0.05});
  comparison.values.emplace_back();
  comparison.voids = {{1, false, "new: a neighbour"}, {12, true, "old: client-limited"}};
  comparison.result.given_up = {{1, 0, 10, true}};
  for (const std::string& page :
       {comparison_text(comparison), comparison_markdown(comparison), comparison_junit(comparison)}) {
    EXPECT_NE(page.find("void in 12 blocks: old: client-limited"), std::string::npos) << page;
  }
  const std::string text = comparison_text(comparison);
  EXPECT_NE(text.find("not judged: throughput (sockets/closed/64)"), std::string::npos) << text;
  EXPECT_NE(text.find("CPU per request (sockets/open/1000/r8000) was void in 1 block: new: a neighbour"),
            std::string::npos)
      << text;
}

TEST(ComparisonFormats, a_page_is_cut_at_a_line_and_says_so) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a line of some length\n";
  const std::string cut = cut_to(lines, 500);
  EXPECT_LE(cut.size(), 500u);
  EXPECT_NE(cut.find("cut"), std::string::npos);
  EXPECT_EQ(cut_to("short\n", 500), "short\n");
}

}  // namespace
}  // namespace tickmark::cli
