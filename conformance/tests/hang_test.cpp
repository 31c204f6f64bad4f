// Players that really hang: what their verdict says, and that a process which was not given the machine is
// not accused of it.

#include <algorithm>
#include <gtest/gtest.h>

#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

constexpr Nanos kDeadline = 500ms;

Rule rule_of(const std::string& steps) {
  auto parsed = parse_rule("test/hang",
                           "says: A rule for a test.\nlevel: must\nlayer: loop\nsource: this test\n"
                           "scenario:\n" +
                               steps + "requires: [a]\n");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Rule{});
}

// The loop waits for an hour.
Rule sleeping_rule() {
  return rule_of(
      "  - timer: early\n    ms: 1\n"
      "  - timer: a\n    ms: 3600000\n");
}

// A callback does not return for an hour.
Rule spinning_rule() { return rule_of("  - timer: a\n    ms: 1\n    then:\n      - busy: 3600000\n"); }

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool shows(const Verdict& verdict, std::string_view part) {
  return std::ranges::any_of(verdict.excerpt, [&](const std::string& line) { return says(line, part); });
}

Verdict verdict_of(const std::vector<std::string>& argv, const Rule& rule, Nanos deadline = kDeadline) {
  return play(argv, {rule}, 1, {}, {}, deadline).front();
}

class NativeHang : public testing::TestWithParam<const char*> {};

TEST_P(NativeHang, of_a_loop_that_waits_shows_what_came_before_and_where_it_sleeps) {
  const Verdict verdict = verdict_of({kBin + GetParam()}, sleeping_rule());
  EXPECT_EQ(verdict.kind, VerdictKind::hang) << describe(verdict);
  EXPECT_TRUE(says(verdict.reason, "main sleeps in epoll_")) << verdict.reason;
  EXPECT_TRUE(shows(verdict, "schedules a (timer, 3600000 ms)"));
  EXPECT_TRUE(shows(verdict, "early runs"));
}

TEST_P(NativeHang, of_a_callback_that_spins_shows_that_it_runs_and_which) {
  const Verdict verdict = verdict_of({kBin + GetParam()}, spinning_rule());
  EXPECT_EQ(verdict.kind, VerdictKind::hang) << describe(verdict);
  EXPECT_TRUE(says(verdict.reason, "main runs")) << verdict.reason;
  ASSERT_FALSE(verdict.excerpt.empty());
  EXPECT_TRUE(says(verdict.excerpt.back(), "a begins")) << verdict.excerpt.back();
}

INSTANTIATE_TEST_SUITE_P(EveryLoop, NativeHang, testing::Values("player_refloop", "player_libuv"),
                         [](const auto& loop) { return std::string(loop.param).substr(7); });

TEST(Hang, of_asio_shows_what_came_before) {
  const Rule rule = rule_of("  - steady_timer: a\n    ms: 3600000\n");
  const Verdict verdict = verdict_of({kBin + "player_asio"}, rule);
  EXPECT_EQ(verdict.kind, VerdictKind::hang) << describe(verdict);
  EXPECT_TRUE(shows(verdict, "schedules a (steady_timer, 3600000 ms)"));
}

// SIGSTOP for far longer than the deadline: the clock went on, the process did not.
TEST(Hang, of_a_process_that_was_not_given_the_machine_is_inconclusive) {
  const std::string stopping =
      "\"$@\" & player=$!; until [ -s \"$6\" ]; do :; done; sleep 1; kill -STOP $player; sleep 7; "
      "kill -CONT $player; wait $player; kill -ALRM $$";
  const Verdict verdict =
      verdict_of({"sh", "-c", stopping, "sh", kBin + "player_refloop"}, sleeping_rule(), 4s);
  EXPECT_EQ(verdict.kind, VerdictKind::inconclusive) << describe(verdict);
  EXPECT_TRUE(says(verdict.reason, "not given the machine")) << verdict.reason;
  EXPECT_FALSE(verdict.is_violation());
}

}  // namespace
}  // namespace tickmark::conformance
