// One process for many scenarios says what a process for each would say: the same rules, both ways.
#include <cstdlib>
#include <gtest/gtest.h>

#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

constexpr unsigned kRepeat = times(3);

// Of every kind of callback, some that hold everywhere and, with the versions of a newer Node claimed for an
// old one, some that an old one fails.
std::vector<Rule> sample() {
  return select({"ticks/ticks_and_microtasks_alternate_until_empty", "ticks/queues_drain_between_timers",
                 "ticks/queues_drain_between_file_callbacks", "ticks/queues_drain_between_immediates",
                 "promises/await_takes_one_job", "errors/failed_immediate_does_not_stop_the_others",
                 "errors/unhandled_rejection_after_the_drain",
                 "immediates/cleared_from_a_microtask_does_not_run",
                 "interplay/immediate_before_timeout_from_io", "node_timers/same_duration_in_order",
                 "node_streams/close_after_finish", "node_net/data_before_end_before_close"});
}

std::vector<Rule> alone(std::vector<Rule> rules) {
  for (Rule& rule : rules) rule.own_process = true;
  return rules;
}

void expect_agreement(const std::vector<std::string>& argv) {
  const auto together = play(argv, sample(), kRepeat);
  const auto apart = play(argv, alone(sample()), kRepeat);
  ASSERT_EQ(together.size(), 12u);
  ASSERT_EQ(together.size(), apart.size());
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i].kind, apart[i].kind) << describe(together[i]) << "\nalone: " << describe(apart[i]);
    // How often is not asked: what waits for something in vain is given up once for all runs of a process.
    EXPECT_EQ(together[i].failed > 0, apart[i].failed > 0)
        << describe(together[i]) << "\nalone: " << describe(apart[i]);
  }
}

TEST(OwnProcess, agrees_with_a_shared_one_on_the_reference_loop) {
  expect_agreement({kBin + "player_refloop"});
}

TEST(OwnProcess, agrees_with_a_shared_one_on_every_node_that_is_here) {
  if (kSanitized) GTEST_SKIP() << "Node is not what the sanitizer watches";
  std::vector<std::string> programs;
  if (std::system("command -v node >/dev/null") == 0) programs.emplace_back("node");
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "runtimes", none)) {
    const auto program = entry.path() / "bin" / "node";
    if (std::filesystem::exists(program)) programs.push_back(program.string());
  }
  if (programs.empty()) GTEST_SKIP() << "there is no node on the PATH, and none was fetched";
  for (const std::string& program : programs) {
    SCOPED_TRACE(program);
    expect_agreement({program, (kSource / "baselines/node/main.cjs").string()});
  }
}

}  // namespace
}  // namespace tickmark::conformance
