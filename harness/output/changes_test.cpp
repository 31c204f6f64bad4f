#include "harness/output/changes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tickmark::output {
namespace {

Json ratio(const char* subject, const char* metric, double value) {
  return {{"subject", subject}, {"metric", metric}, {"ratio", value}};
}

/// A run per day; the cost rises by 10 % on day 13, with another Node.
History twenty_days() {
  History history;
  for (int day = 1; day <= 20; ++day) {
    const bool late = day >= 13;
    const double cost = (late ? 1.65 : 1.5) * (1 + 0.001 * (day % 3));
    Json cell = {{"cell", "sockets/open/8/60"}, {"canary", "raw_epoll"}, {"ratios", Json::array()}};
    cell["ratios"].push_back(ratio("node", "cpu_ns_per_request", cost));
    cell["ratios"].push_back(ratio("node", "throughput_per_s", 1 / cost));
    cell["ratios"].push_back(ratio("libuv", "cpu_ns_per_request", 1 + 0.01 * (day % 2)));
    Json run = {{"schema", "tickmark.history/1"},
                {"utc", fmt::format("2026-11-{:02}T03:00:00Z", day)},
                {"machine", "Some CPU, 2 CPUs"},
                {"tool", {{"git", fmt::format("commit{}", day)}}},
                {"cells", Json::array()}};
    run["versions"]["node"]["node"] = late ? "24.1.0" : "20.20.2";
    run["cells"].push_back(std::move(cell));
    history.runs.push_back(std::move(run));
  }
  return history;
}

const Json& series_of(const Json& document, const std::string& subject, const std::string& metric) {
  for (const Json& series : document["series"]) {
    if (series["subject"] == subject && series["metric"] == metric) return series;
  }
  static const Json none;
  return none;
}

TEST(Changes, a_change_is_told_with_its_day_its_builds_and_its_size) {
  const Json document = changes_document(twenty_days(), {});
  EXPECT_EQ(document["runs"], 20);
  const Json& changes = series_of(document, "node", "cpu_ns_per_request")["changes"];
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0]["run"], 12);
  EXPECT_EQ(changes[0]["utc"], "2026-11-13T03:00:00Z");
  EXPECT_EQ(changes[0]["git_before"], "commit12");
  EXPECT_EQ(changes[0]["versions"], "node 24.1.0");
  EXPECT_NEAR(changes[0]["change"].get<double>(), 0.1, 0.002);
  EXPECT_EQ(changes[0]["worse"], true);
  EXPECT_EQ(series_of(document, "node", "throughput_per_s")["changes"][0]["worse"], true)
      << "fewer per second";
  EXPECT_TRUE(series_of(document, "libuv", "cpu_ns_per_request")["changes"].empty());
}

TEST(Changes, a_filter_takes_parts_of_names) {
  const auto count = [](const SeriesFilter& filter) {
    return changes_document(twenty_days(), filter)["series"].size();
  };
  EXPECT_EQ(count({}), 3u);
  EXPECT_EQ(count({.subject = "node", .cell = "", .metric = ""}), 2u);
  EXPECT_EQ(count({.subject = "", .cell = "sockets", .metric = "cpu"}), 2u);
  EXPECT_EQ(count({.subject = "", .cell = "hello", .metric = ""}), 0u);
}

TEST(Changes, an_empty_history_has_no_series) { EXPECT_TRUE(changes_document({}, {})["series"].empty()); }

}  // namespace
}  // namespace tickmark::output
