// Which block comes next, on made-up records: nothing is run.

#include "harness/run/gate_run.h"

#include <cmath>
#include <gtest/gtest.h>

namespace tickmark::run {
namespace {

using output::Json;
using stats::Verdict;

constexpr const char* kCell = "sockets/open/1000/r8000";

Plan plan_with_gate() {
  Plan plan;
  plan.suite = "gate";
  PlannedCell cell;
  cell.id = kCell;
  cell.gate = {{"cpu_ns_per_request", 0.03}};
  plan.cells.push_back(cell);
  return plan;
}

Json record(const std::string& subject, double cpu, const std::string& status = "ok") {
  return {{"cell", kCell},
          {"subject", subject},
          {"status", status},
          {"reason", status == "ok" ? "" : "it " + status},
          {"metrics", {{"cpu_ns_per_request", cpu}}},
          {"validity", {{"cpu", {{"valid", true}, {"reasons", Json::array()}}}}}};
}

Json void_record(const std::string& subject) {
  Json json = record(subject, 1);
  json["validity"]["cpu"] = {{"valid", false}, {"reasons", {"a neighbour was busy"}}};
  return json;
}

class GateRunTest : public testing::Test {
 protected:
  GateRunTest() : run_("old", "new", {}, {}), plan_(plan_with_gate()) { next(-1, {}); }

  std::optional<BlockRange> next(int block, std::vector<Json> records) {
    auto range = run_.next(plan_, block, records);
    EXPECT_TRUE(range) << range.error().message;
    return range ? *range : std::nullopt;
  }
  /// Runs what the gate wants, the candidate `ratio` times the baseline; the blocks that were run.
  std::vector<int> run_to_end(double ratio) {
    std::vector<int> blocks;
    for (std::optional<BlockRange> range = BlockRange{0, 0}; range;) {
      blocks.push_back(range->first);
      range = next(range->first, {record("new", 10'000 * ratio), record("old", 10'000)});
    }
    return blocks;
  }

  GateRun run_;
  Plan plan_;
};

TEST_F(GateRunTest, equal_subjects_end_at_the_first_look) {
  EXPECT_EQ(run_to_end(1.0).size(), 12u);
  EXPECT_EQ(run_.comparison().result.verdict, Verdict::kOk);
}

/// A block in which one arm waited 1.5 times as long as the other for its core, and needed 6 % less CPU.
std::vector<Json> uneven_block(bool candidate_waited, double ratio) {
  Json old_one = record("old", candidate_waited ? 10'000 : 9'400);
  Json new_one = record("new", (candidate_waited ? 9'400 : 10'000) * ratio);
  old_one["metrics"]["run_queue_wait_ns_per_request"] = candidate_waited ? 4'000 : 6'000;
  new_one["metrics"]["run_queue_wait_ns_per_request"] = candidate_waited ? 6'000 : 4'000;
  return {old_one, new_one};
}

TEST_F(GateRunTest, what_run_queue_wait_explains_is_taken_out) {
  for (int block = 0; block < 12; ++block) next(block, uneven_block(block % 2 == 0, 1.05));
  EXPECT_EQ(run_.comparison().result.looks.size(), 1u);
  const Json metric = output::to_json(run_.comparison())["metrics"][0];
  EXPECT_NEAR(metric["slowdown"].get<double>(), 0.05, 1e-6);
  EXPECT_NEAR(metric["spread"].get<double>(), 0, 1e-6);
  EXPECT_NEAR(metric["covariate_slope"].get<double>(), std::log(0.94) / std::log(1.5), 1e-6);
  EXPECT_EQ(metric["covariate"], "run_queue_wait_ns_per_request");
  EXPECT_EQ(metric["verdict"], "INCONCLUSIVE");  // to be confirmed
  EXPECT_GT(metric["spread_plain"].get<double>(), 0.01);
}

TEST_F(GateRunTest, an_arm_without_a_covariate_explains_nothing) {
  for (int block = 0; block < 12; ++block) {
    auto records = uneven_block(block % 2 == 0, 1.05);
    records[0]["metrics"].erase("run_queue_wait_ns_per_request");
    next(block, records);
  }
  EXPECT_EQ(output::to_json(run_.comparison())["metrics"][0]["covariate_slope"], 0);
}

TEST_F(GateRunTest, a_regression_goes_on_with_the_blocks_of_the_second_stage) {
  const std::vector<int> blocks = run_to_end(1.1);
  ASSERT_EQ(blocks.size(), 24u);
  EXPECT_EQ(blocks[11], 11);
  EXPECT_EQ(blocks[12], 39);
  EXPECT_EQ(run_.comparison().result.verdict, Verdict::kRegression);
  const Json json = output::to_json(run_.comparison());
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_NEAR(json["metrics"][0]["slowdown"].get<double>(), 0.1, 1e-9);
  EXPECT_EQ(json["metrics"][0]["confirmation"]["blocks"], 12);
  EXPECT_EQ(json["looks"].size(), 2u);
}

TEST_F(GateRunTest, a_void_block_is_replaced_and_its_values_do_not_count) {
  const auto range = next(0, {record("old", 10'000), void_record("new")});
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 1);
  EXPECT_EQ(range->last, 30) << "one more block is expected";
  EXPECT_EQ(run_.comparison().result.blocks[0], 0);
  EXPECT_EQ(run_.comparison().result.void_blocks[0], 1);
  ASSERT_EQ(run_.comparison().voids[0].blocks, 1);
  EXPECT_EQ(run_.comparison().voids[0].reason, "new: a neighbour was busy");
}

TEST_F(GateRunTest, more_void_blocks_than_planned_end_without_a_verdict) {
  for (int block = 0; block < 9; ++block) ASSERT_TRUE(next(block, {void_record("old"), record("new", 1)}));
  EXPECT_FALSE(next(9, {void_record("old"), record("new", 1)}));
  EXPECT_EQ(run_.comparison().result.verdict, Verdict::kInconclusive);
}

/// A second cell, whose throughput the load generator limits; beside what is asked of the first.
constexpr const char* kClosedCell = "sockets/closed/64";

Json client_limited(const std::string& subject) {
  Json json = record(subject, 1);
  json["cell"] = kClosedCell;
  json["metrics"] = {{"throughput_per_s", 50'000}};
  json["validity"] = {{"throughput",
                       {{"valid", false},
                        {"reasons", {"client-limited: the load generator was at its limit"}},
                        {"rules", {"client_limited_closed"}}}}};
  return json;
}

TEST(GateRunOfTwoCells, what_limits_the_client_voids_throughput_and_not_the_block) {
  Plan plan = plan_with_gate();
  PlannedCell closed;
  closed.id = kClosedCell;
  closed.gate = {{"throughput_per_s", 0.05}};
  plan.cells.push_back(closed);
  GateRun run("old", "new", {}, {});
  int blocks = 0;
  auto range = run.next(plan, -1, {});
  for (; range && *range; ++blocks) {
    range = run.next(
        plan, (*range)->first,
        {record("old", 10'000), record("new", 10'000), client_limited("old"), client_limited("new")});
  }
  EXPECT_EQ(blocks, 12);
  EXPECT_EQ(run.comparison().result.verdict, Verdict::kOk);
  const Json json = output::to_json(run.comparison());
  EXPECT_EQ(json["metrics"][0]["verdict"], "OK");
  EXPECT_EQ(json["metrics"][1]["verdict"], "INCONCLUSIVE");
  EXPECT_EQ(json["metrics"][1]["given_up"], "out of reach");
  EXPECT_EQ(json["metrics"][1]["void_blocks"], 12);
  EXPECT_EQ(json["metrics"][1]["void_reason"], "old: client-limited: the load generator was at its limit");
}

TEST_F(GateRunTest, the_generators_limit_is_the_reason_that_is_told_whatever_came_first) {
  next(0, {void_record("old"), record("new", 1)});
  Json limited = void_record("new");
  limited["validity"]["cpu"] = {
      {"valid", false}, {"reasons", {"client-limited"}}, {"rules", {"client_at_limit"}}};
  next(1, {void_record("old"), limited});
  next(2, {void_record("old"), record("new", 1)});
  EXPECT_EQ(run_.comparison().voids[0].blocks, 3);
  EXPECT_EQ(run_.comparison().voids[0].reason, "new: client-limited");
}

TEST_F(GateRunTest, a_candidate_that_crashes_twice_is_a_regression) {
  EXPECT_TRUE(next(0, {record("old", 1), record("new", 1, "crashed")}));
  EXPECT_FALSE(next(1, {record("old", 1), record("new", 1, "crashed")}));
  EXPECT_EQ(run_.comparison().result.verdict, Verdict::kRegression);
  EXPECT_NE(run_.comparison().result.reason.find("new crashed in 2 blocks"), std::string::npos);
}

TEST_F(GateRunTest, a_baseline_that_crashes_leaves_nothing_to_compare_with) {
  EXPECT_TRUE(next(0, {record("old", 1, "crashed"), record("new", 1)}));
  EXPECT_FALSE(next(1, {record("old", 1, "crashed"), record("new", 1, "crashed")}));
  EXPECT_EQ(run_.comparison().result.verdict, Verdict::kInconclusive);
}

TEST(GatePlan, fixes_looks_levels_and_the_rule_for_void_blocks) {
  const Json json = planned_gate({}, "old", "new");
  EXPECT_EQ(json["looks"], Json({12, 20, 30}));
  EXPECT_EQ(json["levels"].size(), 3u);
  EXPECT_EQ(json["stages"][1]["first_block"], 39);
  EXPECT_EQ(json["covariates"][0]["covariate"], "run_queue_wait_ns_per_request");
  EXPECT_NE(json["rerun_rule"].get<std::string>().find("at most 9 in a stage"), std::string::npos);
  EXPECT_EQ(planned_blocks({}), 78);
}

TEST(GatePlan, a_metric_that_is_none_is_refused) {
  Plan plan = plan_with_gate();
  plan.cells[0].gate = {{"beauty", 0.1}};
  GateRun run("old", "new", {}, {});
  const auto range = run.next(plan, -1, {});
  ASSERT_FALSE(range);
  EXPECT_NE(range.error().message.find("beauty"), std::string::npos);
}

}  // namespace
}  // namespace tickmark::run
