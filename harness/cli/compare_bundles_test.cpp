// Which two bundles may be compared, and what their canaries make of them.

#include "harness/cli/compare_bundles.h"

#include <cmath>
#include <gtest/gtest.h>

namespace tickmark::cli {
namespace {

using output::Bundle;
using output::Json;

/// Twelve blocks; the machine runs at `pace`, the subject costs `cost` times the canary.
Bundle bundle(double pace, double cost) {
  Bundle made;
  made.folder = "bundle";
  made.machine = {{"comparable", true}, {"cpu_model", "x"}, {"cpus_online", 2}, {"kernel", "6"}};
  made.plan = {{"reference_subject", "canary"},
               {"tool", {{"git", "abc"}, {"compiler", "g++"}, {"build_type", "Release"}}},
               {"subjects", {{{"id", "canary"}}, {{"id", "node"}}}},
               {"cells", {{{"id", "c"}, {"loop", "open"}, {"gate", {{"cpu_ns_per_request", 0.03}}}}}}};
  for (int block = 0; block < 12; ++block) {
    const double mood = pace * std::exp(0.05 * std::sin(block));
    const double noise = 1 + 0.002 * (block % 3 - 1);
    for (const auto& [subject, cpu] : {std::pair("canary", mood), std::pair("node", mood * cost * noise)}) {
      made.trials.push_back({{"block", block},
                             {"cell", "c"},
                             {"subject", subject},
                             {"status", "ok"},
                             {"metrics", {{"cpu_ns_per_request", cpu}}},
                             {"validity", {{"cpu", {{"valid", true}}}}}});
    }
  }
  return made;
}

TEST(CompareBundles, the_canary_takes_out_how_fast_the_machine_was) {
  const auto same = related(bundle(10'000, 2), bundle(14'000, 2), "");
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_EQ(same->result.verdict, stats::Verdict::kOk);
  const auto slower = related(bundle(10'000, 2), bundle(8'000, 2.2), "");
  ASSERT_TRUE(slower);
  EXPECT_EQ(slower->result.verdict, stats::Verdict::kRegression);
  EXPECT_NEAR(std::expm1(slower->result.looks[0].metrics[0].log_ratio.value), 0.1, 1e-6);
}

/// Run-queue wait goes up and down between the blocks, and takes CPU from the subject that waits.
Bundle waiting(double cost, int every) {
  Bundle made = bundle(10'000, cost);
  for (Json& trial : made.trials) {
    const int block = trial["block"];
    const bool waits = (trial["subject"] == "node") == (block % every == 0);
    Json& metrics = trial["metrics"];
    metrics["run_queue_wait_ns_per_request"] = waits ? 6'000 : 4'000;
    metrics["cpu_ns_per_request"] = metrics["cpu_ns_per_request"].get<double>() * (waits ? 0.94 : 1);
  }
  return made;
}

TEST(CompareBundles, what_run_queue_wait_explains_in_either_is_taken_out) {
  const auto slower = related(bundle(10'000, 2), waiting(2.1, 2), "");
  ASSERT_TRUE(slower);
  EXPECT_EQ(slower->result.looks[0].metrics[0].slope, 0) << "one bundle does not know its wait";
  const auto both = related(waiting(2, 3), waiting(2.1, 2), "");
  ASSERT_TRUE(both);
  EXPECT_NEAR(std::expm1(both->result.looks[0].metrics[0].log_ratio.value), 0.05, 1e-6);
  EXPECT_NEAR(both->result.looks[0].metrics[0].slope, std::log(0.94) / std::log(1.5), 0.005);
}

/// The same with a second question, of which this bundle's node has `valid` blocks.
Bundle with_throughput(int valid, const char* rule) {
  Bundle made = bundle(10'000, 2);
  made.plan["cells"][0]["gate"]["throughput_per_s"] = 0.05;
  for (Json& trial : made.trials) {
    const bool void_one = trial["subject"] == "node" && trial["block"] >= valid;
    trial["metrics"]["throughput_per_s"] = 1000 + trial["block"].get<int>() % 3;
    trial["validity"]["throughput"] = {{"valid", !void_one}, {"reasons", {"it was"}}, {"rules", {rule}}};
  }
  return made;
}

TEST(CompareBundles, what_is_void_for_one_question_counts_for_the_others) {
  const auto some = related(with_throughput(12, ""), with_throughput(10, "foreign_cpu"), "");
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_EQ(some->result.verdict, stats::Verdict::kOk);
  EXPECT_EQ(some->voids[1].blocks, 2);
  const auto none = related(with_throughput(12, ""), with_throughput(0, "client_limited_closed"), "");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->result.verdict, stats::Verdict::kOk);
  EXPECT_EQ(none->result.given_up.size(), 1u);
  const auto noise = related(with_throughput(12, ""), with_throughput(0, "foreign_cpu"), "");
  ASSERT_TRUE(noise);
  EXPECT_EQ(noise->result.verdict, stats::Verdict::kInconclusive);
}

TEST(CompareBundles, what_nothing_relates_is_refused_with_the_reason) {
  const Bundle good = bundle(1, 2);
  const std::pair<const char*, std::function<void(Bundle&)>> cases[] = {
      {"kernel", [](Bundle& b) { b.machine["kernel"] = "7"; }},
      {"must not be compared", [](Bundle& b) { b.machine["comparable"] = false; }},
      {"canaries are", [](Bundle& b) { b.plan["reference_subject"] = "node"; }},
      {"built differently", [](Bundle& b) { b.plan["tool"]["git"] = "def"; }},
      {"versions",
       [](Bundle& b) {
         b.plan["subjects"][0]["versions"] = {{"refloop", "2"}};
       }},
      {"no gated cell", [](Bundle& b) { b.plan["cells"][0]["duration_ns"] = 1; }},
      {"--subject",
       [](Bundle& b) {
         b.plan["subjects"].push_back({{"id", "deno"}});
       }},
      {"nobody but the canary", [](Bundle& b) { b.plan["subjects"].erase(1); }},
      {"not one block", [](Bundle& b) { b.trials.clear(); }},
  };
  for (const auto& [named, spoil] : cases) {
    Bundle other = bundle(1, 2);
    spoil(other);
    const auto refused = related(good, other, "");
    ASSERT_FALSE(refused) << named;
    EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
    EXPECT_NE(refused.error().message.find(named), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace tickmark::cli
