// Several player processes at once: each has files of its own, and every rule gets the verdict it would get
// alone.
#include "conformance/oracle/lanes.h"

#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "conformance/oracle/conform.h"

namespace tickmark::conformance {
namespace {

// Plays each scenario of its file once, slowly enough that another process could disturb it.
class SlowPlayer {
 public:
  RunProcess runner() {
    return [this](const std::vector<std::string>& argv, Nanos) -> Expected<ProcessResult> {
      const unsigned running = ++running_;
      unsigned most = most_;
      while (running > most && !most_.compare_exchange_weak(most, running)) {
      }
      play(value_of(argv, "--scenarios"), value_of(argv, "--trace"));
      --running_;
      return ProcessResult{};
    };
  }
  unsigned most_at_once() const { return most_; }

 private:
  static std::string value_of(const std::vector<std::string>& argv, std::string_view flag) {
    return *(std::ranges::find(argv, flag) + 1);
  }

  static void play(const std::string& scenarios, const std::string& trace) {
    std::ofstream file(trace);
    std::this_thread::sleep_for(20ms);
    const auto document = nlohmann::json::parse(std::ifstream(scenarios));
    for (const auto& scenario : document["scenarios"]) {
      const auto id = scenario["id"].get<std::string>();
      file << fmt::format(R"({{"event":"start","scenario":"{}","run":0}})", id) << '\n';
      for (const char* label : {"main", "a", "b"}) {
        file << fmt::format(R"({{"event":"begin","label":"{}"}})", label) << '\n';
        file << fmt::format(R"({{"event":"end","label":"{}"}})", label) << '\n';
      }
      file << fmt::format(R"({{"event":"finish","scenario":"{}","status":"ok"}})", id) << '\n';
    }
  }

  std::atomic<unsigned> running_ = 0;
  std::atomic<unsigned> most_ = 0;
};

// Every third asks for an order the player does not show; ten need a process of their own.
std::vector<Rule> sixty_rules() {
  std::vector<Rule> rules;
  for (int i = 0; i < 60; ++i) {
    auto rule =
        parse_rule(fmt::format("x/rule_{}", i),
                   fmt::format("says: A rule.\nlevel: must\nlayer: loop\nsource: this test\nscenario:\n"
                               "  - timer: a\n    ms: 1\n  - timer: b\n    ms: 2\nrequires: [{}]\n",
                               i % 3 == 0 ? "b < a" : "a < b"));
    rules.push_back(rule.value());
    rules.back().own_process = i >= 50;
  }
  return rules;
}

void expect_right_verdicts(SlowPlayer& player, unsigned lanes) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "lanes_test";
  std::filesystem::create_directories(folder);
  const auto rules = sixty_rules();
  ConformPlan plan;
  plan.subject = "fake";
  plan.argv = {"fake"};
  plan.rules = &rules;
  plan.repeat = 1;
  plan.lanes = lanes;
  plan.folder = folder;
  size_t settled = 0;
  plan.progress = [&settled](size_t done, size_t) { settled = done; };
  const auto verdicts = conform(plan, player.runner()).value();
  EXPECT_EQ(settled, rules.size());
  ASSERT_EQ(verdicts.size(), rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    EXPECT_EQ(verdicts[i].rule, rules[i].id);
    EXPECT_EQ(verdicts[i].kind, i % 3 == 0 ? VerdictKind::fail : VerdictKind::pass) << verdicts[i].reason;
    EXPECT_EQ(verdicts[i].runs, 1u);
  }
}

TEST(Lanes, give_every_rule_the_verdict_it_gets_in_one) {
  for (const unsigned lanes : {1U, 3U}) {
    SCOPED_TRACE(lanes);
    SlowPlayer player;
    expect_right_verdicts(player, lanes);
    EXPECT_EQ(player.most_at_once(), lanes);
  }
}

TEST(Lanes, apart_every_run_has_a_process) {
  const auto rules = sixty_rules();
  ConformPlan plan;
  plan.argv = {"fake"};
  plan.rules = &rules;
  plan.repeat = 2;
  plan.apart = true;
  plan.folder = testing::TempDir();
  unsigned processes = 0;
  const auto count = [&](const std::vector<std::string>&, Nanos) -> Expected<ProcessResult> {
    ++processes;
    return ProcessResult{};
  };
  ASSERT_TRUE(conform(plan, count));
  EXPECT_EQ(processes, 2 * rules.size());
}

TEST(Lanes, end_with_the_first_error) {
  std::atomic<unsigned> begun = 0;
  const auto task = [&](unsigned) -> Expected<void> {
    if (++begun == 2) return environment_error("the second");
    return {};
  };
  const auto done = run_in_lanes(1, {task, task, task, task});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the second");
  EXPECT_EQ(begun, 2u);
}

}  // namespace
}  // namespace tickmark::conformance
