#include "harness/run/warm_ups.h"

#include <gtest/gtest.h>

namespace tickmark::run {
namespace {

using output::Json;

PlannedCell cell(const char* id) {
  PlannedCell planned;
  planned.id = id;
  planned.warmup = 200ms;
  return planned;
}

Json trial(const char* id, std::vector<std::string> rules) {
  return {{"cell", id}, {"validity", {{"latency", {{"valid", rules.empty()}, {"rules", rules}}}}}};
}

TEST(WarmUps, a_trial_that_was_too_cold_doubles_that_of_its_cell_from_the_next_block_on) {
  WarmUps warm_ups;
  EXPECT_EQ(warm_ups.of(cell("a")), 200ms);
  warm_ups.learn(trial("a", {"sent_late", "warm_up"}));
  EXPECT_EQ(warm_ups.of(cell("a")), 200ms) << "the other arms of the block warm up as long as the first";
  warm_ups.end_block();
  EXPECT_EQ(warm_ups.of(cell("a")), 400ms);
  EXPECT_EQ(warm_ups.of(cell("b")), 200ms);
  warm_ups.learn(trial("a", {}));
  warm_ups.end_block();
  EXPECT_EQ(warm_ups.of(cell("a")), 400ms) << "that was long enough";
}

TEST(WarmUps, two_in_a_block_count_once_and_doubling_ends) {
  WarmUps warm_ups;
  for (int block = 0; block < 5; ++block) {
    warm_ups.learn(trial("a", {"warm_up"}));
    warm_ups.learn(trial("a", {"warm_up"}));
    warm_ups.end_block();
    EXPECT_EQ(warm_ups.of(cell("a")), block == 0 ? 400ms : 800ms);
  }
}

TEST(WarmUps, other_reasons_and_trials_without_a_window_change_nothing) {
  WarmUps warm_ups;
  warm_ups.learn(trial("a", {"stationarity"}));
  warm_ups.learn(trial("a", {}));
  warm_ups.learn({{"cell", "a"}, {"status", "crashed"}});
  warm_ups.end_block();
  EXPECT_EQ(warm_ups.of(cell("a")), 200ms);
}

}  // namespace
}  // namespace tickmark::run
