#include "harness/output/analysis.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tuple>

#include "harness/output/summary.h"

namespace tickmark::output {
namespace {

constexpr const char* kCell = "sockets/open/64/60";

Json plan() {
  return {{"schema", "tickmark.plan/1"},
          {"hash", "abc"},
          {"reference_subject", "ref"},
          {"subjects",
           {{{"id", "ref"}, {"available", true}},
            {{"id", "gone"}, {"available", false}, {"reason", "not installed"}}}},
          {"schedule", Json::array()},
          {"cells",
           {{{"id", kCell},
             {"scenario", "orderly"},
             {"loop", "open"},
             {"connections", 64},
             {"rate_per_s", 20000.0},
             {"duration_ns", 600000000},
             {"blocks", 6},
             {"placement", "isolated"},
             {"subjects", {"ref", "slow", "same"}}}}}};
}

Json trial(const std::string& subject, int block, double cpu, bool valid = true) {
  const Json good = {{"valid", true}, {"reasons", Json::array()}};
  Json validity = {{"latency", good}, {"throughput", good}, {"cpu", good}, {"memory", good}};
  if (!valid) validity["cpu"] = {{"valid", false}, {"reasons", {"a busy neighbour"}}};
  return {{"schema", "tickmark.trial/1"},
          {"cell", kCell},
          {"subject", subject},
          {"block", block},
          {"status", "ok"},
          {"metrics", {{"cpu_ns_per_request", cpu}, {"latency_ns_p99", 1000.0 * cpu}}},
          {"validity", validity}};
}

/// Blocks whose machine speed drifts by a factor of three: only pairing can find the ratio.
Bundle drifting(int blocks) {
  Bundle bundle;
  bundle.plan = plan();
  const double wobble[] = {1.00, 1.01, 0.99, 1.02, 0.98, 1.005, 0.995, 1.015};
  for (int b = 0; b < blocks; ++b) {
    const double drift = 10'000 * (1 + 2.0 * b / blocks);
    bundle.trials.push_back(trial("ref", b, drift));
    bundle.trials.push_back(trial("slow", b, drift * 1.42 * wobble[b % 8]));
    bundle.trials.push_back(trial("same", b, drift * (b % 2 == 0 ? 1.03 : 0.97)));
  }
  return bundle;
}

const Json& find(const Json& analysis, const std::string& subject, const std::string& metric) {
  for (const Json& c : list_at(analysis, "comparisons")) {
    if (text_at(c, "subject") == subject && text_at(c, "metric") == metric) return c;
  }
  static const Json none;
  return none;
}

TEST(Analysis, FindsAKnownRatioThroughDrift) {
  const Json analysis = analyse(drifting(8));
  EXPECT_EQ(text_at(analysis, "schema"), "tickmark.analysis/1");
  const Json& slow = find(analysis, "slow", "cpu_ns_per_request");
  EXPECT_NEAR(number_at(slow, "ratio").value_or(0), 1.42, 0.02);
  EXPECT_LE(number_at(slow, "ratio_low").value_or(9), 1.42);
  EXPECT_GE(number_at(slow, "ratio_high").value_or(0), 1.42);
  EXPECT_EQ(flag_at(slow, "distinguishable"), true);
  EXPECT_EQ(text_at(slow, "better"), "lower");
  EXPECT_EQ(text_at(slow, "unit"), "ns");
  EXPECT_EQ(ratio_text(slow).substr(0, 7), "1.42x [");
}

TEST(Analysis, ACostWithLongerRepliesSaysSo) {
  Bundle bundle = drifting(8);
  for (Json& t : bundle.trials) {
    const std::string subject = text_at(t, "subject");
    const double headers = subject == "ref" ? 94 : subject == "same" ? 98 : 147;
    t["metrics"]["header_bytes_per_reply"] = headers;
    // The mix of bodies fell out differently: that is nobody's doing.
    t["metrics"]["bytes_per_reply"] = headers + (subject == "same" ? 60 : 6);
  }
  const Json analysis = analyse(bundle);
  const Json& slow = find(analysis, "slow", "cpu_ns_per_request");
  EXPECT_NEAR(number_at(slow, "bytes_per_reply_ratio").value_or(0), 1.53, 0.001);
  EXPECT_NE(text_at(slow, "note").find("replies of 153 bytes against 100"), std::string::npos) << slow;
  EXPECT_TRUE(ratio_text(slow).ends_with(" with replies 1.53x as long")) << ratio_text(slow);
  const Json& same = find(analysis, "same", "cpu_ns_per_request");
  EXPECT_FALSE(number_at(same, "bytes_per_reply_ratio"));
  EXPECT_EQ(text_at(same, "note"), "");
  EXPECT_FALSE(number_at(find(analysis, "slow", "latency_ns_p99"), "bytes_per_reply_ratio"));
}

TEST(Analysis, SaysNotDistinguishable) {
  const Json analysis = analyse(drifting(8));
  const Json& same = find(analysis, "same", "cpu_ns_per_request");
  EXPECT_EQ(flag_at(same, "distinguishable"), false);
  EXPECT_EQ(ratio_text(same).substr(0, 22), "not distinguishable (1") << ratio_text(same);
}

TEST(Analysis, TheReferenceHasAnEstimateAndNoRatio) {
  const Json analysis = analyse(drifting(8));
  const Json& ref = find(analysis, "ref", "cpu_ns_per_request");
  EXPECT_TRUE(number_at(ref, "estimate") && number_at(ref, "low") && number_at(ref, "high"));
  EXPECT_FALSE(number_at(ref, "ratio"));
}

TEST(Analysis, FewerThanSixValidBlocksGiveNoInterval) {
  Bundle bundle = drifting(6);
  EXPECT_TRUE(number_at(find(analyse(bundle), "slow", "cpu_ns_per_request"), "ratio_low"));
  for (Json& t : bundle.trials) {
    if (text_at(t, "subject") == "slow" && integer_at(t, "block") < 2) {
      t["validity"]["cpu"] = {{"valid", false}, {"reasons", {"a busy neighbour"}}};
    }
  }
  const Json analysis = analyse(bundle);
  const Json& slow = find(analysis, "slow", "cpu_ns_per_request");
  EXPECT_EQ(integer_at(slow, "blocks_valid"), 4);
  EXPECT_EQ(integer_at(slow, "blocks_planned"), 6);
  EXPECT_FALSE(number_at(slow, "low"));
  EXPECT_FALSE(number_at(slow, "ratio_low"));
  EXPECT_FALSE(flag_at(slow, "distinguishable"));
  EXPECT_NE(ratio_text(slow).find("only 4 valid pairs of blocks: no interval"), std::string::npos);
  // Validity is per metric: the same trials' latency still counts.
  EXPECT_EQ(integer_at(find(analysis, "slow", "latency_ns_p99"), "blocks_valid"), 6);
}

TEST(Analysis, FailedTrialsDoNotCountAndTheReasonIsKept) {
  Bundle bundle = drifting(6);
  for (Json& t : bundle.trials) {
    if (text_at(t, "subject") != "slow") continue;
    t["status"] = "crashed";
    t["reason"] = "signal 11";
  }
  const Json analysis = analyse(bundle);
  const Json& slow = find(analysis, "slow", "cpu_ns_per_request");
  EXPECT_EQ(integer_at(slow, "blocks_valid"), 0);
  EXPECT_EQ(text_at(slow, "note"), "no valid block: crashed: signal 11");
  EXPECT_FALSE(number_at(slow, "estimate"));
}

TEST(Analysis, ALowerBoundIsNoValue) {
  Bundle bundle = drifting(6);
  for (Json& t : bundle.trials) {
    if (text_at(t, "subject") == "slow") t["lower_bounds"] = {"latency_ns_p99"};
  }
  const Json analysis = analyse(bundle);
  EXPECT_EQ(integer_at(find(analysis, "slow", "latency_ns_p99"), "blocks_valid"), 0);
  EXPECT_EQ(integer_at(find(analysis, "slow", "cpu_ns_per_request"), "blocks_valid"), 6);
}

TEST(Analysis, SurvivesRecordsOfAnyShape) {
  Bundle bundle;
  bundle.plan = {{"schema", "tickmark.plan/1"},
                 {"cells", {1, "x", {{"id", 3}}, {{"id", kCell}, {"subjects", {1}}}}}};
  bundle.trials = {{{"schema", "tickmark.trial/1"}, {"cell", kCell}, {"subject", 5}, {"metrics", "none"}},
                   {{"schema", "tickmark.trial/1"},
                    {"cell", kCell},
                    {"subject", "s"},
                    {"status", "ok"},
                    {"validity", {{"cpu", {{"valid", true}}}}},
                    {"block", 0},
                    {"metrics", {{"cpu_ns_per_request", -1.0}}}}};
  bundle.analysis = analyse(bundle);
  EXPECT_TRUE(bundle.analysis.is_object());
  EXPECT_FALSE(summary_text(bundle).empty());
}

TEST(Summary, TellsNumbersAndTheirDoubt) {
  Bundle bundle = drifting(6);
  bundle.analysis = analyse(bundle);
  bundle.folder = "results/x";
  bundle.trials.push_back(
      {{"status", "wrong_reply"}, {"subject", "slow"}, {"cell", kCell}, {"reason", "byte 7"}});
  const std::string text = summary_text(bundle);
  for (const char* expected :
       {"sockets/open/64/60: 64 connections, 20.0 k/s offered", "More CPU per request than ref: slow 1.42x [",
        "Not distinguishable from ref in CPU per request: same", "Skipped: gone - not installed",
        "slow wrong_reply in sockets/open/64/60: byte 7", "This run is incomplete",
        "tickmark run --plan results/x/plan.json"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << " is not in:\n" << text;
  }
}

TEST(Summary, TellsPerFamilyWhatWasVoidAndWhy) {
  Bundle bundle = drifting(6);
  for (size_t i = 0; i < 3; ++i) {
    bundle.trials[i]["validity"]["throughput"] = {
        {"valid", false}, {"reasons", {fmt::format("the generator used {} % of its core", 91 + i)}}};
  }
  bundle.trials[3]["validity"]["cpu"] = {{"valid", false}, {"reasons", {"lost count"}}};
  bundle.analysis = analyse(bundle);
  const std::string text = summary_text(bundle);
  EXPECT_NE(text.find("Throughput is void in 3 of 18 measured trials: \"the generator used ...\" (3)."),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("CPU per request is void in 1 of 18"), std::string::npos) << text;
  EXPECT_EQ(text.find("Latency is void"), std::string::npos);
}

TEST(Summary, TellsKnownViolationsFromNewOnes) {
  Bundle bundle = drifting(6);
  for (const auto& [rule, level, verdict, known] : {std::tuple{"timers/a", "must", "pass", ""},
                                                    {"timers/b", "must", "crash", "its own bug"},
                                                    {"timers/c", "should", "fail", ""},
                                                    {"timers/d", "profile", "fail", ""}}) {
    bundle.verdicts.push_back(
        {{"subject", "node"}, {"rule", rule}, {"level", level}, {"verdict", verdict}, {"known", known}});
  }
  const std::string text = summary_text(bundle);
  EXPECT_NE(text.find("Ordering: node: 1 pass, 1 crash (known), 2 fail; not expected: timers/c\n"),
            std::string::npos)
      << text;
}

TEST(MetricText, PicksAUnit) {
  EXPECT_EQ(metric_text(180'000, "ns"), "180.00 us");
  EXPECT_EQ(metric_text(1.5e6, "ns"), "1.50 ms");
  EXPECT_EQ(metric_text(81'234, "1/s"), "81.2 k/s");
  EXPECT_EQ(metric_text(4096, "bytes"), "4.0 KiB");
}

}  // namespace
}  // namespace tickmark::output
