#include "harness/run/plan.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "harness/process/registry.h"
#include "harness/run/plan_cells.h"
#include "harness/run/sha256.h"

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = TICKMARK_SOURCE_DIR;

std::vector<WorkloadSpec> workloads() {
  std::vector<WorkloadSpec> specs;
  for (const char* id : {"cpu", "crypto", "fs", "hello", "sockets"}) {
    auto spec = process::load_workload_spec(kSource / "workloads" / id / "spec.yaml");
    EXPECT_TRUE(spec) << spec.error().message;
    if (spec) specs.push_back(*spec);
  }
  return specs;
}

PlannedSubject subject(const std::string& id,
                       std::vector<std::string> speaks = {"cpu", "crypto", "fs", "hello", "sockets"}) {
  PlannedSubject s;
  s.id = s.name = s.title = id;
  s.workloads = std::move(speaks);
  return s;
}

PlanInput input(const std::string& suite_name) {
  PlanInput in;
  auto suite = load_suite(kSource / "harness/run/suites", suite_name);
  EXPECT_TRUE(suite) << suite.error().message;
  in.suite = *suite;
  for (const char* id :
       {"reference_loop", "thread_per_connection", "cluster", "libuv", "node", "node_cluster"}) {
    in.subjects.push_back(subject(id));
  }
  in.subjects.push_back(subject("raw_epoll", {"sockets"}));
  in.workloads = workloads();
  in.seed = 8431;
  in.calibration.subject = "reference_loop";
  for (const CalibrationNeed& need : calibration_needs(in.suite, in.workloads)) {
    in.calibration.capacity_per_s[need.key] = 81'234.0;
  }
  in.tool = {{"name", "tickmark"}};
  return in;
}

Plan plan_of(const PlanInput& in) {
  auto plan = make_plan(in);
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? *plan : Plan{};
}

class EverySuite : public testing::TestWithParam<std::string> {};

TEST_P(EverySuite, RunsEverySubjectOncePerCellAndBlock) {
  const Plan plan = plan_of(input(GetParam()));
  std::map<std::tuple<std::string, int, std::string>, int> seen;
  for (const PlannedTrial& t : plan.schedule) ++seen[{t.cell, t.block, t.subject}];
  size_t expected = 0;
  for (const PlannedCell& cell : plan.cells) {
    for (int block = 0; block < cell.blocks; ++block) {
      for (const std::string& id : cell.subjects) {
        ++expected;
        EXPECT_EQ((seen[{cell.id, block, id}]), 1) << cell.id << " block " << block << " " << id;
      }
    }
    EXPECT_EQ(cell.subjects.size() + cell.skipped.size(), plan.subjects.size());
  }
  EXPECT_EQ(plan.schedule.size(), expected);
  for (size_t i = 0; i < plan.schedule.size(); ++i) EXPECT_EQ(plan.schedule[i].trial, static_cast<int>(i));
  for (size_t i = 1; i < plan.schedule.size(); ++i)
    EXPECT_GE(plan.schedule[i].block, plan.schedule[i - 1].block);
}

TEST_P(EverySuite, GivesAllSubjectsOfABlockTheSameArrivalsAndEachBlockItsOwn) {
  const Plan plan = plan_of(input(GetParam()));
  std::map<std::pair<std::string, int>, std::set<uint64_t>> seeds;
  std::set<uint64_t> different;
  for (const PlannedTrial& t : plan.schedule) {
    seeds[{t.cell, t.block}].insert(t.seed);
    different.insert(t.seed);
  }
  for (const auto& [where, of_block] : seeds) EXPECT_EQ(of_block.size(), 1u) << where.first;
  EXPECT_EQ(different.size(), seeds.size());
}

INSTANTIATE_TEST_SUITE_P(Plan, EverySuite, testing::Values("smoke", "quick", "standard", "full"));

TEST(Plan, SameSeedSamePlanOtherSeedOtherOrder) {
  PlanInput in = input("quick");
  const std::string first = output::document_text(plan_to_json(plan_of(in)));
  EXPECT_EQ(first, output::document_text(plan_to_json(plan_of(in))));
  const Plan a = plan_of(in);
  in.seed = 8432;
  const Plan b = plan_of(in);
  ASSERT_EQ(a.schedule.size(), b.schedule.size());
  size_t same = 0;
  for (size_t i = 0; i < a.schedule.size(); ++i) {
    same += a.schedule[i].subject == b.schedule[i].subject && a.schedule[i].cell == b.schedule[i].cell;
    EXPECT_NE(a.schedule[i].seed, b.schedule[i].seed);
  }
  EXPECT_LT(same, a.schedule.size() / 4);
}

TEST(Plan, OrderInACellIsRandomInEveryBlock) {
  const Plan plan = plan_of(input("quick"));
  std::set<std::vector<std::string>> orders;
  std::map<int, std::vector<std::string>> by_block;
  for (const PlannedTrial& t : plan.schedule) {
    if (t.cell == "sockets/closed/64") by_block[t.block].push_back(t.subject);
  }
  for (const auto& [block, order] : by_block) orders.insert(order);
  EXPECT_EQ(by_block.size(), 6u);
  EXPECT_GE(orders.size(), 5u);  // of 5,040 possible ones, six times
}

TEST(Plan, QuickSuiteFitsEightMinutesWithSevenSubjects) {
  const Plan plan = plan_of(input("quick"));
  EXPECT_LE(plan.estimated_measured_s, 480);
  EXPECT_GE(plan.estimated_measured_s, 240);  // and uses them
  for (const PlannedCell& cell : plan.cells) {
    const bool curve = cell.capacity_share && cell.workload == "sockets" && *cell.capacity_share != 0.6;
    const bool storm = cell.scenario == load::Scenario::kStorm;
    if (curve || storm) continue;
    EXPECT_GE(cell.blocks, 6) << cell.id;
  }
}

TEST(Plan, SmokeSuiteFitsAMinute) { EXPECT_LE(plan_of(input("smoke")).estimated_measured_s, 50); }

TEST(Plan, JsonRoundTripKeepsEverything) {
  PlanInput in = input("quick");
  in.subjects[4].available = false;
  in.subjects[4].reason = "not installed";
  in.conformance = {{"subjects", {"reference_loop"}}, {"rules", 34}};
  const output::Json document = plan_to_json(plan_of(in));
  auto read = plan_from_json(document);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(plan_to_json(*read), document);
  EXPECT_EQ(read->schedule.size(), document["schedule"].size());
}

TEST(Plan, RefusesAnEditedPlan) {
  output::Json document = plan_to_json(plan_of(input("smoke")));
  document["cells"][0]["rate_per_s"] = 1.0;
  auto read = plan_from_json(document);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("hash"), std::string::npos);
}

TEST(Plan, RefusesBrokenReferencesWithAValidHash) {
  const auto rehashed = [](output::Json document) {
    document["hash"] = "";
    document["hash"] = sha256_hex(output::document_text(document));
    return plan_from_json(document);
  };
  const output::Json good = plan_to_json(plan_of(input("smoke")));
  ASSERT_TRUE(rehashed(good));
  output::Json bad = good;
  bad["schedule"][0]["cell"] = "no/such/cell";
  EXPECT_FALSE(rehashed(bad));
  bad = good;
  bad["schedule"][0]["subject"] = 3;
  EXPECT_FALSE(rehashed(bad));
  bad = good;
  bad["cells"][0]["lanes"] = output::Json::array();
  EXPECT_FALSE(rehashed(bad));
  bad = good;
  bad["reference_subject"] = "nobody";
  EXPECT_FALSE(rehashed(bad));
}

TEST(Plan, RatesAreSharesOfTheCapacityCommonToAll) {
  const Plan plan = plan_of(input("quick"));
  const PlannedCell* cell = plan.cell("sockets/open/5000/60");
  ASSERT_NE(cell, nullptr);
  EXPECT_EQ(cell->rate_per_s, 48'700);  // 0.6 * 81,234 to three digits
  EXPECT_EQ(cell->subjects.size(), 7u);
  const PlannedCell* inline_cell = plan.cell("cpu/inline/open/8/40");
  const PlannedCell* offload_cell = plan.cell("cpu/offload/open/8/40");
  ASSERT_TRUE(inline_cell && offload_cell);
  EXPECT_EQ(inline_cell->rate_per_s, offload_cell->rate_per_s);
  ASSERT_EQ(offload_cell->lanes.size(), 2u);
  EXPECT_EQ(offload_cell->lanes[0].name, "heavy");
  EXPECT_EQ(offload_cell->lanes[1].name, "probe");
  EXPECT_GE(offload_cell->lanes[1].rate_per_s, 1000);
}

TEST(Plan, WithoutCalibrationNoRate) {
  PlanInput in = input("quick");
  in.calibration.capacity_per_s.clear();
  EXPECT_FALSE(make_plan(in));
  in.rates_later = true;
  auto dry = make_plan(in);
  ASSERT_TRUE(dry) << dry.error().message;
  EXPECT_EQ(dry->cell("sockets/open/5000/60")->rate_per_s, 0);
  EXPECT_FALSE(plan_from_json(plan_to_json(*dry)));  // what has no rates cannot be executed
}

TEST(Plan, SkipsWithAReason) {
  PlanInput in = input("quick");
  in.subjects[4].available = false;
  in.subjects[4].reason = "node is not installed";
  const Plan plan = plan_of(in);
  const PlannedCell* fs_cell = plan.cell("fs/mix/open/64/20");
  ASSERT_NE(fs_cell, nullptr);
  std::map<std::string, std::string> skipped;
  for (const SkippedSubject& s : fs_cell->skipped) skipped[s.subject] = s.reason;
  EXPECT_EQ(skipped, (std::map<std::string, std::string>{{"node", "node is not installed"},
                                                         {"raw_epoll", "speaks sockets only"}}));
}

TEST(Plan, OverridesFilterAndReplace) {
  PlanInput in = input("quick");
  in.overrides.workloads = {"sockets"};
  in.overrides.connections = 64;
  in.overrides.rate_per_s = 5000;
  in.overrides.blocks = 2;
  in.overrides.duration = 100ms;
  const Plan plan = plan_of(in);
  std::set<std::string> ids;
  for (const PlannedCell& cell : plan.cells) {
    EXPECT_EQ(cell.workload, "sockets");
    EXPECT_EQ(cell.lanes[0].connections, 64);
    EXPECT_EQ(cell.blocks, 2);
    EXPECT_EQ(cell.duration, 100ms);
    EXPECT_TRUE(ids.insert(cell.id).second) << cell.id;
  }
  // The ladder of rates and both closed cells have become one each.
  EXPECT_EQ(ids, (std::set<std::string>{"sockets/open/64/r5000", "sockets/closed/64", "sockets/storm/64"}));
  EXPECT_TRUE(
      calibration_needs(*apply_overrides(in.suite, in.overrides, in.workloads), in.workloads).empty());
}

TEST(Plan, RefusesUnknownWorkloadsAndEmptySelections) {
  PlanInput in = input("quick");
  in.overrides.workloads = {"sokets"};
  auto plan = make_plan(in);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kUsage);
  EXPECT_NE(plan.error().message.find("sokets"), std::string::npos);
  in.overrides.workloads = {"hello"};  // exists, but the quick suite has no cell of it
  EXPECT_FALSE(make_plan(in));
}

TEST(Plan, ReferenceIsTheSuitesOrTheFirstAvailable) {
  PlanInput in = input("quick");
  EXPECT_EQ(*choose_reference(in.suite, in.subjects), "reference_loop");
  in.subjects[0].available = false;
  EXPECT_EQ(*choose_reference(in.suite, in.subjects), "thread_per_connection");
  for (PlannedSubject& s : in.subjects) s.available = false;
  auto none = choose_reference(in.suite, in.subjects);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kEnvironment);
}

TEST(Calibration, AsksForEachCapacityOnce) {
  const PlanInput in = input("quick");
  std::set<std::string> keys;
  for (const CalibrationNeed& need : calibration_needs(in.suite, in.workloads)) {
    EXPECT_TRUE(keys.insert(need.key).second) << need.key;
  }
  EXPECT_EQ(keys, (std::set<std::string>{"sockets_5000", "fs_mix_64", "crypto_mix_64", "cpu_inline_8"}));
}

TEST(Sha256, KnownAnswer) {  // FIPS 180-4, "abc"
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace tickmark::run
