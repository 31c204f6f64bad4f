#include "harness/run/validity.h"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <set>
#include <sstream>

#include "harness/run/canary.h"

namespace tickmark::run {
namespace {

/// A trial nobody can object to.
TrialFacts good() {
  TrialFacts facts;
  facts.subject_cpu_share = 0.6;
  facts.load.window = 1s;
  load::LaneReport lane;
  lane.name = "main";
  lane.counts = {1000, 1000, 0, 0, 0, 0};
  lane.response_time.record(1ms, 1000);
  lane.achieved_rate_per_s = lane.scheduled_rate_per_s = 1000;
  facts.load.lanes.push_back(std::move(lane));
  facts.load.client.cpu_utilisation = 0.3;
  facts.load.client.lateness.record(10us, 1000);
  return facts;
}

struct Case {
  const char* rule;
  void (*breaks)(TrialFacts&);      ///< just beyond the threshold
  void (*still_good)(TrialFacts&);  ///< just within it
  std::set<std::string> voids;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.rule; }

const Case kCases[] = {
    {"count_identity",
     [](TrialFacts& f) { f.load.lanes[0].counts.completed = 999; },
     [](TrialFacts& f) { f.load.lanes[0].counts = {1000, 999, 0, 0, 1, 0}; },
     {"latency", "throughput", "cpu", "memory"}},
    {"little_law",
     [](TrialFacts& f) { f.load.lanes[0].little_error = -0.0011; },
     [](TrialFacts& f) { f.load.lanes[0].little_error = 0.0009; },
     {"latency", "throughput", "cpu", "memory"}},
    {"nothing_completed",
     [](TrialFacts& f) { f.load.lanes[0].response_time.clear(); },
     [](TrialFacts&) {},
     {"latency", "throughput", "cpu"}},
    {"storm", [](TrialFacts& f) { f.storm = true; }, [](TrialFacts&) {}, {"latency", "throughput", "cpu"}},
    {"client_busy",
     [](TrialFacts& f) { f.load.client.cpu_utilisation = 0.71; },
     [](TrialFacts& f) { f.load.client.cpu_utilisation = 0.69; },
     {}},
    {"client_at_limit",
     [](TrialFacts& f) { f.load.client.cpu_utilisation = 0.91; },
     [](TrialFacts& f) { f.load.client.cpu_utilisation = 0.69; },
     {"latency", "throughput"}},
    {"client_limited_closed",
     [](TrialFacts& f) {
       f.open_loop = false;
       f.load.client.cpu_utilisation = 0.95;
       f.subject_cpu_share = 0.94;
     },
     [](TrialFacts& f) {
       f.open_loop = false;
       f.load.client.cpu_utilisation = 0.99;
       f.subject_cpu_share = 0.96;
     },
     {"latency", "throughput"}},
    {"generator_lateness",
     [](TrialFacts& f) { f.load.client.lateness.record(1100us, 100); },
     [](TrialFacts& f) { f.load.client.lateness.record(900us, 100); },
     {"latency"}},
    {"foreign_cpu",
     [](TrialFacts& f) { f.environment.foreign_cpu_share = 0.051; },
     [](TrialFacts& f) { f.environment.foreign_cpu_share = 0.049; },
     {"latency", "throughput"}},
    {"steal",
     [](TrialFacts& f) { f.environment.steal_share = 0.021; },
     [](TrialFacts& f) { f.environment.steal_share = 0.019; },
     {"latency", "throughput"}},
    {"error_share",
     [](TrialFacts& f) { f.load.lanes[0].counts = {1000, 998, 1, 1, 0, 0}; },
     [](TrialFacts& f) { f.load.lanes[0].counts = {1000, 999, 1, 0, 0, 0}; },
     {"latency", "throughput"}},
    {"connections_lost",
     [](TrialFacts& f) { f.load.lanes[0].connections_lost = 1; },
     [](TrialFacts&) {},
     {"latency", "throughput"}},
    {"connections_lost",
     [](TrialFacts& f) { f.load.lanes[0].reconnects = 1; },
     [](TrialFacts&) {},
     {"latency", "throughput"}},
    {"never_served",
     [](TrialFacts& f) { f.load.lanes[0].connections_never_served = 1; },
     [](TrialFacts&) {},
     {"latency", "throughput"}},
    {"offered_rate",
     [](TrialFacts& f) {
       f.load.lanes[0].offered_rate_per_s = 1160;  // 1 % of it is 11.6, four deviations 136.2
     },
     [](TrialFacts& f) { f.load.lanes[0].offered_rate_per_s = 1130; },
     {"latency", "throughput"}},
    {"spin_canary",
     [](TrialFacts& f) {
       f.canary = 4210us;
       f.canary_usual = 4ms;
     },
     [](TrialFacts& f) {
       f.canary = 4190us;
       f.canary_usual = 4ms;
     },
     {"latency", "throughput"}},
    {"warm_up",
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {0, 1.01};
     },
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {0, 0.99};
     },
     {"latency", "throughput"}},
    {"stationarity",
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {0.51, 0};
     },
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {0.09, 0};
     },
     {"latency", "throughput"}},
    {"stationarity",
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {-0.34, 0};
     },
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {-0.09, 0};
     },
     {"latency", "throughput"}},
    {"drift",
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {0.49, 0};
     },
     [](TrialFacts&) {},
     {}},
    {"drift",
     [](TrialFacts& f) {
       f.load.lanes[0].stationarity = {-0.33, 0};
     },
     [](TrialFacts&) {},
     {}},
    {"censored", [](TrialFacts& f) { f.load.lanes[0].censored.record(1s, 3); }, [](TrialFacts&) {}, {}},
    {"listen_overflow",
     [](TrialFacts& f) { f.environment.listen_overflows = 1; },
     [](TrialFacts&) {},
     {"latency"}},
    {"listen_overflow",
     [](TrialFacts& f) { f.environment.listen_drops = 1; },
     [](TrialFacts&) {},
     {"latency"}},
    {"listen_overflow",
     [](TrialFacts& f) { f.environment.syn_cookies = 1; },
     [](TrialFacts&) {},
     {"latency"}},
    {"retransmits", [](TrialFacts& f) { f.environment.retransmits = 11; }, [](TrialFacts&) {}, {"latency"}},
    {"few_retransmits", [](TrialFacts& f) { f.environment.retransmits = 10; }, [](TrialFacts&) {}, {}},
};

class EachRule : public testing::TestWithParam<Case> {};

TEST_P(EachRule, VoidsWhatItSaysBeyondItsThreshold) {
  TrialFacts facts = good();
  GetParam().breaks(facts);
  const auto findings = judge(facts);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule->name, GetParam().rule);
  EXPECT_FALSE(findings[0].sentence.empty());
  const output::Json json = validity_json(findings);
  for (const std::string& family : GetParam().voids) {
    EXPECT_EQ(json[family]["rules"], output::Json::array({GetParam().rule})) << family;
  }
  std::set<std::string> voided;
  size_t told = 0;
  for (const auto& [family, entry] : json.items()) {
    if (!entry["valid"]) voided.insert(family);
    told += entry["reasons"].size();
  }
  EXPECT_EQ(voided, GetParam().voids);
  EXPECT_GE(told, 1u);
}

TEST_P(EachRule, IsSilentWithinItsThreshold) {
  TrialFacts facts = good();
  GetParam().still_good(facts);
  EXPECT_TRUE(judge(facts).empty());
}

INSTANTIATE_TEST_SUITE_P(Validity, EachRule, testing::ValuesIn(kCases));

TEST(Validity, EveryRuleHasACaseHere) {
  std::set<std::string_view> rules, cases;
  for (const ValidityRule& rule : validity_rules()) rules.insert(rule.name);
  for (const Case& c : kCases) cases.insert(c.rule);
  EXPECT_EQ(rules, cases);
}

TEST(Validity, OnlyBookkeepingInvalidatesTheWholeTrial) {
  for (const Case& c : kCases) {
    TrialFacts facts = good();
    c.breaks(facts);
    const bool bookkeeping =
        std::string_view(c.rule) == "count_identity" || std::string_view(c.rule) == "little_law";
    EXPECT_EQ(invalidation(judge(facts)).has_value(), bookkeeping) << c.rule;
  }
}

TEST(Validity, LatenessIsAllowedATenthOfTheMedian) {
  TrialFacts facts = good();
  facts.load.client.lateness.record(2ms, 100);
  facts.load.lanes[0].response_time.record(30ms, 5000);
  facts.load.lanes[0].counts = {6000, 6000, 0, 0, 0, 0};
  EXPECT_TRUE(judge(facts).empty());
}

TEST(Validity, AClosedLoopMayUseItsClientUp) {
  TrialFacts facts = good();
  facts.open_loop = false;
  facts.load.client.cpu_utilisation = 0.89;
  facts.load.client.lateness.record(5ms, 1000);
  EXPECT_TRUE(judge(facts).empty());
}

TEST(Validity, AStormIsNotJudgedByItsErrors) {
  TrialFacts facts = good();
  facts.storm = true;
  facts.load.lanes[0].counts = {1000, 500, 0, 500, 0, 0};
  facts.load.lanes[0].connections_lost = 3;
  const auto findings = judge(facts);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule->name, "storm");
}

TEST(Validity, AQueueThatGrowsIsSaturatedAndNotWithoutStationarity) {
  TrialFacts facts = good();
  load::LaneReport& lane = facts.load.lanes[0];
  lane.stationarity = {8.0, 0};
  lane.achieved_rate_per_s = 900;
  EXPECT_TRUE(judge(facts).empty());
  lane.achieved_rate_per_s = 1000;
  lane.response_time.clear();
  lane.response_time.record(1ms, 499);  // too few to have a median that stays
  EXPECT_TRUE(judge(facts).empty());
}

TEST(Canary, IsComparedWithTheMedianOfTheRunOnceThereAreFive) {
  CanaryLog log;
  for (const Nanos canary : {5ms, 4ms, 4ms, 9ms}) log.add(canary);
  EXPECT_EQ(log.usual(), Nanos{0});
  log.add(4ms);
  EXPECT_EQ(log.usual(), Nanos{4ms});
  EXPECT_EQ(log.spread(), 0);  // three of five are alike
}

TEST(Canary, IsAllowedThreeTimesItsUsualSpread) {
  CanaryLog log;
  for (const Nanos canary : {96us, 98us, 100us, 102us, 104us}) log.add(canary);
  TrialFacts facts = good();
  facts.canary_usual = log.usual();
  facts.canary_spread = log.spread();  // 1.4826 x 2 %
  facts.canary = 108us;
  EXPECT_TRUE(judge(facts).empty());
  facts.canary = 109us;
  ASSERT_EQ(judge(facts).size(), 1u);
  EXPECT_NE(judge(facts)[0].sentence.find("took 9.0 % longer"), std::string::npos)
      << judge(facts)[0].sentence;
}

TEST(Canary, TakesTimeOnACoreThatIsThereAndNoneOnAnother) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int cpu = 0;
  while (!CPU_ISSET(static_cast<size_t>(cpu), &before)) ++cpu;
  EXPECT_GT(spin_canary(cpu), Nanos{0});
  EXPECT_EQ(sched_getcpu(), cpu);
  EXPECT_EQ(spin_canary(CPU_SETSIZE - 1), Nanos{0});
  sched_setaffinity(0, sizeof before, &before);
}

std::string limit_text(const ValidityRule& rule) {
  switch (rule.unit) {
    case Unit::kNone:
      return "-";
    case Unit::kShare:
      return fmt::format("{:g} %", rule.threshold * 100);
    case Unit::kCount:
      return fmt::format("{:g}", rule.threshold);
    case Unit::kNanos:
      return fmt::format("{:g} ms", rule.threshold / 1e6);
  }
  return "";
}

std::string families_text(unsigned families) {
  std::string text;
  for (const auto& [family, name] : {std::pair(kLatency, "latency"), std::pair(kThroughput, "throughput"),
                                     std::pair(kCpu, "CPU"), std::pair(kMemory, "memory")}) {
    if (families & family) text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return text.empty() ? "-" : text;
}

/// The table of docs/validity.md, from the rules themselves.
std::string table_of_rules() {
  std::string table =
      "| sentinel | what it reads | limit | voids | only tells of | also in a storm "
      "|\n|---|---|--:|---|---|---|\n";
  for (const ValidityRule& rule : validity_rules()) {
    table += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", rule.name, rule.reads, limit_text(rule),
                         families_text(rule.voids), families_text(rule.notes), rule.in_storm ? "yes" : "no");
  }
  return table;
}

TEST(Validity, ThePageListsTheRulesAsTheyAre) {
  std::ifstream file(TICKMARK_SOURCE_DIR "/docs/validity.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(table_of_rules()), std::string::npos) << "docs/validity.md should contain\n"
                                                                  << table_of_rules();
}

TEST(Saturation, IsABacklogThatGrewNotAnEdge) {
  TrialFacts facts = good();
  load::LaneReport& lane = facts.load.lanes[0];
  EXPECT_FALSE(saturation(facts.load));
  lane.achieved_rate_per_s = 991;  // within 1 %
  EXPECT_FALSE(saturation(facts.load));
  lane.achieved_rate_per_s = 980;
  ASSERT_TRUE(saturation(facts.load));
  EXPECT_NE(saturation(facts.load)->find("lane main: 980 of 1000"), std::string::npos);
  lane.scheduled_rate_per_s = 9;  // a few heavy requests: two in flight at the edge prove nothing
  lane.achieved_rate_per_s = 7;
  EXPECT_FALSE(saturation(facts.load));
  lane.achieved_rate_per_s = 5;
  EXPECT_TRUE(saturation(facts.load));
}

}  // namespace
}  // namespace tickmark::run
