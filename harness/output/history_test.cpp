#include "harness/output/history.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>

namespace tickmark::output {
namespace {

namespace fs = std::filesystem;

class HistoryFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "history_test_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "history.jsonl";
  }
  void TearDown() override { fs::remove_all(folder_); }
  void spill(std::string_view text) { std::ofstream(file_, std::ios::binary | std::ios::trunc) << text; }
  std::string slurp() {
    std::ostringstream text;
    text << std::ifstream(file_, std::ios::binary).rdbuf();
    return text.str();
  }

  fs::path folder_, file_;
};

Json trial(int block, const std::string& subject, double cpu, bool valid = true) {
  return {{"schema", "tickmark.trial/1"},
          {"block", block},
          {"cell", "sockets/open/8/60"},
          {"subject", subject},
          {"status", "ok"},
          {"metrics", {{"cpu_ns_per_request", cpu}}},
          {"validity", {{"cpu", {{"valid", valid}, {"reasons", Json::array()}}}}}};
}

/// Six blocks of raw_epoll at 1 us and `node` at `cost` times that, in one cell.
Bundle bundle(double cost, const std::vector<std::string>& planned = {"node", "raw_epoll"}) {
  Bundle bundle;
  bundle.plan = {
      {"schema", "tickmark.plan/1"},
      {"created_utc", "2026-11-21T03:00:00Z"},
      {"reference_subject", "node"},
      {"tool", {{"git", "a1b2c3d"}}},
      {"subjects", Json::array({{{"id", "node"}, {"available", true}, {"versions", {{"node", "20.20.2"}}}}})},
      {"cells",
       Json::array({{{"id", "sockets/open/8/60"}, {"workload", "sockets"}, {"subjects", planned}}})}};
  bundle.machine = {{"comparable", true}, {"cpu_model", "Some CPU"}, {"cpus_online", 2}};
  bundle.end = {{"status", "complete"}};
  for (int block = 0; block < 6; ++block) {
    const double pace = 1000 * (1 + 0.1 * block);  // the machine's: it cancels
    bundle.trials.push_back(trial(block, "raw_epoll", pace));
    bundle.trials.push_back(trial(block, "node", pace * cost));
  }
  return bundle;
}

Json record(double cost, const std::string& utc = "2026-11-21T03:00:00Z") {
  Json line = history_record(bundle(cost)).value();
  line["utc"] = utc;
  return line;
}

TEST_F(HistoryFile, a_run_becomes_ratios_to_the_canary_of_its_blocks) {
  const auto line = history_record(bundle(3));
  ASSERT_TRUE(line) << line.error().message;
  const Json& ratio = (*line)["cells"][0]["ratios"][0];
  EXPECT_EQ((*line)["cells"][0]["canary"], "raw_epoll");
  EXPECT_EQ((*line)["machine"], "Some CPU, 2 CPUs");
  EXPECT_EQ(ratio["subject"], "node");
  EXPECT_NEAR(ratio["ratio"].get<double>(), 3, 1e-9);
  EXPECT_NEAR(ratio["low"].get<double>(), 3, 1e-9);
  EXPECT_EQ(ratio["blocks"], 6);
}

TEST_F(HistoryFile, a_void_trial_does_not_count) {
  Bundle some = bundle(3);
  some.trials[1] = trial(0, "node", 1e9, false);
  const Json line = history_record(some).value();
  EXPECT_EQ(line["cells"][0]["ratios"][0]["blocks"], 5);
  EXPECT_FALSE(line["cells"][0]["ratios"][0].contains("low")) << "an interval needs six";
}

TEST_F(HistoryFile, the_plan_decides_who_is_the_canary_and_not_what_came_out) {
  Bundle failed = bundle(3, {"node", "other", "raw_epoll", "thread_per_connection"});
  for (Json& one : failed.trials) {
    if (one["subject"] == "raw_epoll") one["status"] = "failed";
  }
  const auto none = history_record(failed);
  ASSERT_FALSE(none) << "another canary would have been another series";
  EXPECT_NE(none.error().message.find("raw_epoll"), std::string::npos);
  Bundle without = bundle(3, {"node", "other"});
  for (Json& one : without.trials) {
    if (one["subject"] == "raw_epoll") one["subject"] = "other";
  }
  EXPECT_EQ(history_record(without).value()["cells"][0]["canary"], "node") << "the run's reference subject";
}

TEST_F(HistoryFile, a_run_that_must_not_be_compared_is_not_kept) {
  Bundle interrupted = bundle(3), debug = bundle(3);
  interrupted.end["status"] = "interrupted";
  debug.machine["comparable"] = false;
  EXPECT_NE(history_record(interrupted).error().message.find("interrupted"), std::string::npos);
  EXPECT_NE(history_record(debug).error().message.find("doctor"), std::string::npos);
}

TEST_F(HistoryFile, lines_come_back_as_series_in_the_order_of_the_runs) {
  ASSERT_TRUE(check_history(file_));
  ASSERT_TRUE(append_history(file_, record(3.3, "2026-11-22T03:00:00Z")));
  ASSERT_TRUE(append_history(file_, record(3)));
  const auto history = read_history(file_);
  ASSERT_TRUE(history) << history.error().message;
  EXPECT_TRUE(history->notes.empty());
  const auto series = history_series(*history);
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].metric, "cpu_ns_per_request");
  ASSERT_EQ(series[0].points.size(), 2u);
  EXPECT_NEAR(series[0].points[0].ratio, 3, 1e-9);
  EXPECT_NEAR(series[0].points[1].ratio, 3.3, 1e-9);
  EXPECT_EQ(series[0].points[1].versions, "node 20.20.2");
  EXPECT_EQ(series[0].points[1].git, "a1b2c3d");
}

TEST_F(HistoryFile, a_cut_line_stays_alone_and_is_reported) {
  const std::string whole = line_text(record(3));
  spill(whole + whole.substr(0, 40));
  ASSERT_TRUE(append_history(file_, record(4)));
  const auto history = read_history(file_);
  ASSERT_TRUE(history);
  EXPECT_EQ(history->runs.size(), 2u);
  ASSERT_EQ(history->notes.size(), 1u);
  EXPECT_NE(history->notes[0].find("line 2 was left out: it is not valid JSON"), std::string::npos)
      << history->notes[0];
}

TEST_F(HistoryFile, foreign_lines_are_reported_and_never_taken) {
  const std::string whole = line_text(record(3));
  spill("\xff\xfe\n[1,2]\n{\"schema\":\"tickmark.history/2\"}\n{\"schema\":\"tickmark.history/1\"}\n\n" +
        whole + "{\"schema\":\"tickmark.trial/1\"}\n" + whole.substr(0, whole.size() / 2));
  const auto history = read_history(file_);
  ASSERT_TRUE(history);
  EXPECT_EQ(history->runs.size(), 1u);
  EXPECT_EQ(history->notes.size(), 6u);
  EXPECT_NE(history->notes.back().find("writer had been stopped"), std::string::npos);
  spill("one\ntwo\n");
  EXPECT_NE(read_history(file_).error().message.find("none of its 2 lines"), std::string::npos);
}

TEST_F(HistoryFile, an_empty_history_is_one_and_a_missing_one_is_none) {
  spill("");
  EXPECT_TRUE(read_history(file_).value().runs.empty());
  EXPECT_FALSE(read_history(folder_ / "none"));
  EXPECT_FALSE(read_history(folder_));
  EXPECT_FALSE(check_history(folder_ / "none" / "file"));
  EXPECT_FALSE(append_history(folder_, record(3)));
}

TEST_F(HistoryFile, several_writers_leave_whole_lines) {
  constexpr int kWriters = 4, kLines = 25;
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) EXPECT_TRUE(append_history(file_, record(3)));
      });
    }
  }
  const auto history = read_history(file_);
  ASSERT_TRUE(history);
  EXPECT_EQ(history->runs.size(), size_t{kWriters * kLines});
  EXPECT_TRUE(history->notes.empty());
}

std::vector<HistorySeries> series_of(const Json& line) {
  History history;
  history.runs.push_back(line);
  return history_series(history);
}

TEST_F(HistoryFile, numbers_that_are_none_give_no_point) {
  Json line = record(3);
  for (const Json& bad : {Json(0), Json(-1), Json("3"), Json(nullptr)}) {
    line["cells"][0]["ratios"][0]["ratio"] = bad;
    EXPECT_TRUE(series_of(line).empty()) << bad;
  }
  line["cells"][0]["ratios"][0]["ratio"] = 2;
  line["cells"][0]["ratios"][0]["low"] = 5;  // above high
  EXPECT_FALSE(series_of(line)[0].points[0].interval);
  line["cells"][0]["ratios"][0]["metric"] = "speed";
  EXPECT_TRUE(series_of(line).empty());
}

}  // namespace
}  // namespace tickmark::output
