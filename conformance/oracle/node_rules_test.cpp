// What rules of the Node layer may say: things that are made and named, callbacks that fail, the kind of
// main.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

#include "conformance/oracle/conform.h"

namespace tickmark::conformance {
namespace {

std::string with_scenario(const std::string& steps, const std::string& more = "requires: [t]\n") {
  return "says: A rule for a test.\nlevel: must\nlayer: node\nsource: this test\nscenario:\n" + steps + more;
}

std::string refusal_of(const std::string& steps) {
  const auto parsed = parse_rule("test/rule", with_scenario(steps));
  EXPECT_FALSE(parsed) << steps;
  return parsed ? "" : parsed.error().message;
}

TEST(NodeRules, name_what_their_steps_make) {
  const auto rule =
      parse_rule("test/rule", with_scenario("  - deferred: p\n  - resolve_promise: p\n    to: p\n"
                                            "  - channel: c\n  - listen: t\n    on: c.b\n"
                                            "    event: message\n  - timeout: u\n    ms: 2147483648\n"
                                            "    promised: true\n"));
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule->steps[0], nlohmann::json::parse(R"({"verb":"deferred","label":"p"})"));
  EXPECT_EQ(rule->steps[1], nlohmann::json::parse(R"({"verb":"resolve_promise","target":"p","to":"p"})"));
  EXPECT_EQ(rule->steps[3],
            nlohmann::json::parse(R"({"verb":"listen","label":"t","on":"c.b","event":"message"})"));
  EXPECT_EQ(rule->steps[4],
            nlohmann::json::parse(R"({"verb":"timeout","label":"u","ms":2147483648,"promised":true})"));
}

TEST(NodeRules, are_refused_where_a_step_could_never_be_executed) {
  EXPECT_NE(refusal_of("  - tick: t\n    then:\n      - throw:\n      - tick: u\n")
                .find("\"throw\" must be the last"),
            std::string::npos);
  EXPECT_NE(refusal_of("  - exit:\n  - tick: t\n").find("\"exit\" must be the last"), std::string::npos);
}

TEST(NodeRules, are_refused_where_a_thing_is_unknown_or_used_wrongly) {
  EXPECT_NE(refusal_of("  - tick: t\n  - post: c.a\n").find("\"c.a\""), std::string::npos);
  EXPECT_NE(refusal_of("  - tick: t\n  - channel: c\n  - post: c.x\n").find("\"c.x\""), std::string::npos);
  EXPECT_NE(refusal_of("  - tick: t\n  - deferred: t\n").find("used twice"), std::string::npos);
  EXPECT_NE(refusal_of("  - tick: t\n  - listen: u\n").find("needs \"event\""), std::string::npos);
  EXPECT_NE(refusal_of("  - tick: t\n  - deferred: p\n    then: []\n").find("no key \"then\""),
            std::string::npos);
}

// The value of --mode in each process that is started; "-" = none.
std::vector<std::string> modes_played(const std::vector<Rule>& rules, const std::string& asked,
                                      bool fresh_loops = false) {
  std::vector<std::string> modes;
  const auto runner = [&](const std::vector<std::string>& argv, Nanos) -> Expected<ProcessResult> {
    const auto flag = std::ranges::find(argv, "--mode");
    modes.push_back(flag == argv.end() ? "-" : *(flag + 1));
    return ProcessResult{};  // without a word: nothing is judged here
  };
  const auto folder = std::filesystem::path(testing::TempDir()) / "node_rules_test";
  std::filesystem::create_directories(folder);
  const ConformPlan plan{.subject = "fake",
                         .argv = {"fake"},
                         .versions = {},
                         .rules = &rules,
                         .mode = asked,
                         .repeat = 1,
                         .fresh_loops = fresh_loops,
                         .folder = folder,
                         .traces = {},
                         .progress = {}};
  EXPECT_TRUE(conform(plan, runner));
  std::ranges::sort(modes);
  return modes;
}

TEST(NodeRules, are_played_where_they_speak_of_unless_a_mode_is_asked_for) {
  std::vector<Rule> rules(3, parse_rule("test/any", with_scenario("  - tick: t\n")).value());
  rules[1].id = "test/module";
  rules[1].modes = {"esm"};
  rules[2].id = "test/worker";
  rules[2].modes = {"worker"};
  EXPECT_EQ(modes_played(rules, ""), (std::vector<std::string>{"-", "esm", "worker"}));
  EXPECT_EQ(modes_played(rules, "esm"), std::vector<std::string>{"esm"}) << "two rules, in one process";
  rules[1].own_process = true;
  EXPECT_EQ(modes_played(rules, ""), (std::vector<std::string>{"-", "esm", "worker"}));
}

TEST(NodeRules, with_a_process_of_their_own_share_one_where_every_run_has_a_loop_of_its_own) {
  std::vector<Rule> rules(3, parse_rule("test/any", with_scenario("  - tick: t\n")).value());
  rules[1].id = "test/alone";
  rules[1].own_process = true;
  rules[2].id = "test/also_alone";
  rules[2].own_process = true;
  EXPECT_EQ(modes_played(rules, "").size(), 3u);
  EXPECT_EQ(modes_played(rules, "", true).size(), 1u);
}

}  // namespace
}  // namespace tickmark::conformance
