#include "reference-loop/choices.h"

#include <gtest/gtest.h>
#include <set>

namespace refloop::choices_test {
namespace {

using namespace std::chrono_literals;

std::vector<std::size_t> ask(Choices& choices, int times) {
  std::vector<std::size_t> answers;
  for (int i = 0; i < times; ++i) {
    answers.push_back(choices.pick(10));
    answers.push_back(choices.chance(300) ? 1 : 0);
    answers.push_back(static_cast<std::size_t>(choices.between(1us, 2us).count()));
  }
  return answers;
}

TEST(ChoicesTest, the_same_seed_answers_the_same_and_another_does_not) {
  SeededChoices seven(7);
  SeededChoices again(7);
  SeededChoices eight(8);
  const auto answers = ask(seven, 100);
  EXPECT_EQ(answers, ask(again, 100));
  EXPECT_NE(answers, ask(eight, 100));
}

TEST(ChoicesTest, answers_stay_in_range_and_reach_all_of_it) {
  SeededChoices choices(1);
  std::vector<int> picked(7);
  int came_true = 0;
  for (int i = 0; i < 7000; ++i) {
    ++picked[choices.pick(7)];
    came_true += choices.chance(100) ? 1 : 0;
    const Nanos time = choices.between(5ns, 6ns);
    EXPECT_TRUE(time == 5ns || time == 6ns);
  }
  for (const int count : picked) EXPECT_NEAR(count, 1000, 200);
  EXPECT_NEAR(came_true, 700, 150);
}

TEST(ChoicesTest, what_has_one_answer_is_not_asked) {
  SeededChoices seeded(1);
  RecordingChoices choices(seeded);
  EXPECT_EQ(choices.pick(1), 0u);
  EXPECT_FALSE(choices.chance(0));
  EXPECT_TRUE(choices.chance(1000));
  EXPECT_EQ(choices.between(3ms, 3ms), 3ms);
  EXPECT_EQ(choices.between(3ms, 2ms), 3ms) << "an empty range is its beginning";
  EXPECT_EQ(choices.answers(), Answers{});
}

TEST(ChoicesTest, a_recorded_run_is_replayed_and_a_changed_one_stays_in_range) {
  SeededChoices seeded(3);
  RecordingChoices recording(seeded);
  const auto answers = ask(recording, 20);
  ReplayedChoices replayed(recording.answers());
  EXPECT_EQ(ask(replayed, 20), answers);
  EXPECT_EQ(replayed.pick(5), 0u) << "behind the end";
  ReplayedChoices changed({12, 7, 99'999});
  EXPECT_EQ(changed.pick(10), 2u);
  EXPECT_TRUE(changed.chance(1));
  EXPECT_EQ(changed.between(1us, 2us), 2us);
}

// Two questions, the second only after one answer of the first: 1 + 3 runs; and each between has two ends.
TEST(ExplorerTest, makes_every_run_once) {
  std::multiset<std::string> runs;
  Explorer explorer;
  while (explorer.next()) {
    std::string run = explorer.pick(2) == 0 ? "a" : "b";
    if (run == "b") run += std::to_string(explorer.pick(3));
    runs.insert(run);
  }
  EXPECT_EQ(runs, (std::multiset<std::string>{"a", "b0", "b1", "b2"}));
  EXPECT_EQ(explorer.runs(), 4u);
  std::multiset<Nanos> times;
  Explorer of_times;
  while (of_times.next()) times.insert(of_times.between(2ms, 9ms));
  EXPECT_EQ(times, (std::multiset<Nanos>{2ms, 9ms}));
}

TEST(ExplorerTest, a_program_without_questions_is_run_once) {
  Explorer explorer;
  EXPECT_TRUE(explorer.next());
  EXPECT_FALSE(explorer.next());
}

TEST(ExplorerTest, its_answers_replay_a_run) {
  Explorer explorer;
  while (explorer.next()) {
    const std::size_t first = explorer.pick(3);
    const bool second = explorer.chance(1);
    const Nanos third = explorer.between(1s, 2s);
    ReplayedChoices replayed(explorer.answers());
    EXPECT_EQ(replayed.pick(3), first);
    EXPECT_EQ(replayed.chance(1), second);
    EXPECT_EQ(replayed.between(1s, 2s), third);
  }
  EXPECT_EQ(explorer.runs(), 12u);
}

}  // namespace
}  // namespace refloop::choices_test
