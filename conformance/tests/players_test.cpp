// The catalogue against real loops: the reference loop passes everything, each mutant is killed by the rules
// its file names, and an old libuv fails the rules of a newer one.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "conformance/oracle/expectations.h"
#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

// Those of Asio's executors are nobody else's.
std::vector<Rule> rules_of(bool executors) {
  std::vector<Rule> rules = all_rules();
  std::erase_if(rules, [=](const Rule& rule) { return rule.id.starts_with("executors/") != executors; });
  return rules;
}

// Without what the reference loop has not: the library that Node has above its loop and, in virtual time, the
// output of a child.
std::vector<Verdict> without_library_rules(std::vector<Verdict> verdicts) {
  for (const Verdict& verdict : verdicts) {
    EXPECT_TRUE(verdict.kind != VerdictKind::unsupported || verdict.layer == Layer::node ||
                verdict.rule.starts_with("processes/"))
        << describe(verdict);
  }
  std::erase_if(verdicts, [](const Verdict& verdict) { return verdict.kind == VerdictKind::unsupported; });
  EXPECT_GE(verdicts.size(), 250u);
  return verdicts;
}

// The rule was played that often and kept.
void expect_pass(const Verdict& verdict, unsigned runs) {
  EXPECT_FALSE(verdict.is_violation()) << describe(verdict);
  EXPECT_EQ(verdict.runs, runs) << verdict.rule;
  if (!kSanitized) {
    EXPECT_EQ(verdict.kind, VerdictKind::pass) << describe(verdict);
  }
}

// Not once in a while, either.
void expect_applicable(const Verdict& verdict, unsigned runs) {
  if (!kSanitized) {
    EXPECT_GE(verdict.applicable, runs / 2) << verdict.rule;
  }
}

TEST(Players, the_reference_loop_passes_every_rule_twenty_times) {
  const unsigned runs = times(20);
  for (const Verdict& verdict : without_library_rules(play({kBin + "player_refloop"}, rules_of(false), runs)))
    expect_pass(verdict, runs);
}

// Every run on another schedule: what is legal, and only that, happens to it.
TEST(Players, the_reference_loop_passes_every_rule_in_virtual_time) {
  const unsigned runs = times(60);
  for (const Verdict& verdict : without_library_rules(
           play({kBin + "player_refloop"}, rules_of(false), runs, {}, in_virtual_time(7)))) {
    expect_pass(verdict, runs);
    expect_applicable(verdict, runs);
  }
}

// The knobs of a schedule fuzzer: what is wild but legal accuses nobody.
TEST(Players, the_reference_loop_passes_every_rule_however_wild_its_schedules_are) {
  auto options = in_virtual_time(11);
  options.insert(options.end(), {"--option", "perturb=legal"});
  for (const Verdict& verdict : play({kBin + "player_refloop"}, all_rules(), times(60), {}, options))
    EXPECT_EQ(verdict.failed, 0u) << describe(verdict);
  options.back() = "perturb=closes";
  std::vector<Rule> node_rules;
  std::ranges::copy_if(all_rules(), std::back_inserter(node_rules),
                       [](const Rule& rule) { return rule.layer == Layer::node; });
  for (const Verdict& verdict : play({kBin + "player_refloop"}, node_rules, times(60), {}, options))
    EXPECT_EQ(verdict.failed, 0u) << describe(verdict);
}

TEST(Players, libuv_passes_what_it_can_be_asked) {
  const auto verdicts = play({kBin + "player_libuv"}, all_rules(), times(20), {{"uv", UV_VERSION_TEXT}});
  unsigned passed = 0;
  for (const Verdict& verdict : verdicts) {
    EXPECT_TRUE(verdict.kind == VerdictKind::pass || verdict.kind == VerdictKind::unsupported ||
                verdict.kind == VerdictKind::inapplicable)
        << describe(verdict);
    passed += verdict.kind == VerdictKind::pass ? 1 : 0;
    EXPECT_TRUE(verdict.kind == VerdictKind::pass || !verdict.reason.empty()) << verdict.rule;
  }
  EXPECT_GE(passed, 140u);
}

// Rules that speak of a newer libuv than this one, and would hold for the version it is taken for.
bool is_explained_by_age(const Rule& rule, const Versions& taken_for) {
  const Versions actual{{"uv", UV_VERSION_TEXT}};
  return outside(rule.versions, actual) && !outside(rule.versions, taken_for);
}

TEST(Players, an_old_libuv_taken_for_a_newer_one_is_convicted_of_what_its_age_explains_and_nothing_else) {
  if (compare_versions(UV_VERSION_TEXT, "1.45") >= 0) GTEST_SKIP() << "this libuv is not older than 1.45";
  const Versions taken_for = parse_as("libuv@1.52").value();
  std::vector<Rule> rules = all_rules();
  std::erase_if(rules, [](const Rule& rule) { return rule.layer != Layer::loop || !rule.builtin.empty(); });
  const auto verdicts = play({kBin + "player_libuv"}, rules, times(5), taken_for);
  ASSERT_EQ(verdicts.size(), rules.size());
  unsigned convicted = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    const bool explained = is_explained_by_age(rules[i], taken_for);
    EXPECT_EQ(verdicts[i].is_violation(), explained) << describe(verdicts[i]);
    convicted += explained ? 1 : 0;
  }
  EXPECT_GE(convicted, 12u);
}

TEST(Players, asio_passes_what_it_can_be_asked) {
  const unsigned runs = times(20);
  for (const Verdict& verdict : play({kBin + "player_asio"}, rules_of(true), runs)) {
    expect_pass(verdict, runs);
    expect_applicable(verdict, runs);
  }
  for (const Verdict& verdict : play({kBin + "player_asio"}, rules_of(false), times(3)))
    EXPECT_FALSE(verdict.is_violation()) << describe(verdict);
}

// What `node` on the PATH is, as describe reports it; empty when there is none.
Versions node_versions() {
  std::FILE* pipe = popen("node -p \"process.versions.node + ' ' + process.versions.uv\" 2>/dev/null", "r");
  char node[64] = "";
  char uv[64] = "";
  const bool found = pipe != nullptr && std::fscanf(pipe, "%63s %63s", node, uv) == 2;
  if (pipe != nullptr) pclose(pipe);
  return found ? Versions{{"node", node}, {"uv", uv}} : Versions{};
}

TEST(Players, node_passes_what_it_can_be_asked) {
  if (kSanitized) GTEST_SKIP() << "Node is not what the sanitizer watches";
  const Versions versions = node_versions();
  if (versions.empty()) GTEST_SKIP() << "there is no node on the PATH";
  auto verdicts = play({"node", (kSource / "baselines/node/main.cjs").string()}, all_rules(), 3, versions);
  const auto known = load_expectations(kSource / "conformance/expectations", "node", versions, all_rules());
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_TRUE(compare(verdicts, *known).unexpected_failures.empty());
  unsigned passed = 0;
  for (const Verdict& verdict : verdicts) {
    EXPECT_TRUE(verdict.kind == VerdictKind::pass || verdict.kind == VerdictKind::unsupported ||
                verdict.kind == VerdictKind::inapplicable || !verdict.known.empty())
        << describe(verdict);
    passed += verdict.kind == VerdictKind::pass ? 1 : 0;
  }
  EXPECT_GE(passed, 125u);
}

}  // namespace
}  // namespace tickmark::conformance
