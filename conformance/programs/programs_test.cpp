// Drawing, writing down and making small.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "conformance/programs/campaign.h"
#include "conformance/programs/differential.h"

namespace tickmark::programs::programs_test {
namespace {

TEST(GeneratorTest, the_same_seed_gives_the_same_program_for_ever) {
  EXPECT_EQ(generate(1, 0), generate(1, 0));
  EXPECT_FALSE(generate(1, 0) == generate(1, 1));
  EXPECT_FALSE(generate(1, 0) == generate(2, 0));
  // A change of the distribution is a new version of it: kDistribution.
  EXPECT_EQ(kDistribution, 1u);
  EXPECT_EQ(to_json(generate(7, 3, {.actions_min = 5, .actions_max = 5})),
            R"({"id":3,"steps":[{"count":2,"do":"then","label":1,"then":[{"do":"fs","label":2,"then":[)"
            R"({"do":"tick","label":5}]},)"
            R"({"do":"timeout","label":3,"ms":1}]},{"do":"fs","label":4}]})");
}

TEST(GeneratorTest, programs_are_of_every_size_and_verb_asked_for) {
  std::set<Verb> verbs;
  size_t least = kMaxActions, most = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const Program program = generate(3, i, {.throwing_permille = 200});
    least = std::min(least, program.size() - 1);
    if (!program.has(Verb::fail)) most = std::max(most, program.size() - 1);
    for (size_t at = 1; at < program.size(); ++at) verbs.insert(program[static_cast<Label>(at)].verb);
  }
  EXPECT_EQ(least, 5u);
  EXPECT_EQ(most, 40u);
  EXPECT_EQ(verbs.size(), kVerbs - 1) << "all but main";
}

TEST(GeneratorTest, programs_of_two_slots_share_no_duration) {
  const Shape shape{.slots = 4};
  std::set<uint16_t> durations[2];
  for (uint64_t i = 0; i < 200; ++i) {
    for (unsigned slot = 0; slot < 2; ++slot) {
      const Program program = generate(3, i, shape, slot);
      for (size_t at = 1; at < program.size(); ++at) {
        const Action& action = program[static_cast<Label>(at)];
        if (is_timer(action.verb)) durations[slot].insert(action.ms);
      }
    }
  }
  EXPECT_EQ(durations[0], (std::set<uint16_t>{1, 5, 9, 13}));
  EXPECT_EQ(durations[1], (std::set<uint16_t>{2, 6, 10, 14}));
}

TEST(ProgramFileTest, what_is_written_is_read) {
  const auto path = std::filesystem::temp_directory_path() / "tickmark-programs-test.json";
  ProgramFile file{.slots = 3, .deadline = 1s, .programs = {}};
  for (uint64_t i = 0; i < 50; ++i) file.programs.push_back(generate(5, i, {.throwing_permille = 300}));
  ASSERT_TRUE(write_programs(path, file));
  EXPECT_TRUE(is_program_file(path));
  const auto read = read_programs(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->slots, 3u);
  EXPECT_EQ(read->deadline, 1s);
  EXPECT_TRUE(read->programs == file.programs);
  EXPECT_EQ(read->programs[7].id, 7u);
  std::filesystem::remove(path);
}

TEST(ProgramFileTest, what_is_no_program_is_refused_in_a_sentence) {
  for (const char* text :
       {"", "[]", R"({"id":1})", R"({"id":1,"steps":[{"do":"fly","label":1}]})",
        R"({"id":1,"steps":[{"do":"tick","label":2}]})", R"({"id":1,"steps":[{"do":"tick","label":64}]})",
        R"({"id":1,"steps":[{"do":"clear","label":1,"of":9}]})"}) {
    const auto program = parse_program(text);
    ASSERT_FALSE(program) << text;
    EXPECT_EQ(program.error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(program.error().message.empty());
  }
}

TEST(ProgramFileTest, a_run_that_was_cut_off_is_none) {
  const auto path = std::filesystem::temp_directory_path() / "tickmark-runs-test.ndjson";
  const programs::Run run{
      .program = 5, .steps = {{1, StepKind::callback}, {2, StepKind::unhandled}}, .times_us = {7, 9}};
  std::ofstream(path) << runs_header("x") << to_json_line(run) << R"({"program":6,"steps":[4)";
  std::vector<programs::Run> runs;
  ASSERT_TRUE(read_runs(path, [&](programs::Run&& each) { runs.push_back(std::move(each)); }));
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].program, 5u);
  EXPECT_TRUE(runs[0].steps == run.steps);
  EXPECT_EQ(runs[0].times_us, run.times_us);
  std::filesystem::remove(path);
}

// A loop that runs immediates from the newest to the oldest, and does nothing else wrong.
std::vector<Step> play_backwards(const Program& program) {
  std::vector<Step> steps;
  program.each_in_body(kMain, [&](Label label) {
    if (program[label].verb == Verb::tick) steps.push_back({label, StepKind::callback});
  });
  std::vector<Step> immediates;
  program.each_in_body(kMain, [&](Label label) {
    if (program[label].verb == Verb::immediate)
      immediates.insert(immediates.begin(), {label, StepKind::callback});
  });
  steps.insert(steps.end(), immediates.begin(), immediates.end());
  return steps;
}

TEST(ShrinkTest, what_is_left_is_all_it_takes) {
  Program program;
  for (int i = 0; i < 12; ++i) program.add(kMain, {.verb = i % 2 == 0 ? Verb::immediate : Verb::tick});
  const Judges judges =
      [](const std::vector<Program>& programs) -> Expected<std::vector<std::optional<Finding>>> {
    std::vector<std::optional<Finding>> judged;
    for (const Program& each : programs) {
      const std::vector<Step> steps = play_backwards(each);
      auto refusal = Acceptor({}).judge(each, steps);
      judged.push_back(refusal ? std::optional(Finding{each, {each.id, steps}, *refusal}) : std::nullopt);
    }
    return judged;
  };
  const auto first = judges({program});
  ASSERT_TRUE((*first)[0]);
  const auto small = shrink(*(*first)[0], {.slots = 1}, judges, 1);
  ASSERT_TRUE(small);
  EXPECT_EQ(to_text(small->program), "main\n  immediate1\n  immediate2\n");
}

TEST(ShrinkTest, a_reduction_keeps_what_is_left_in_order) {
  Program program;
  const Label a = program.add(kMain, {.verb = Verb::timeout, .ms = 9});
  const Label b = program.add(a, {.verb = Verb::tick});
  program.add(b, {.verb = Verb::clear, .target = a});
  program.add(kMain, {.verb = Verb::interval, .count = 2, .ms = 1});
  std::set<std::string> texts;
  for (const Program& each : reductions(program, {.slots = 1})) texts.insert(to_text(each));
  EXPECT_EQ(texts, (std::set<std::string>{
                       "main\n  interval1 1 ms, 2 times\n",                              // without a
                       "main\n  timeout1 9 ms\n  interval2 1 ms, 2 times\n",             // without b
                       "main\n  timeout1 9 ms\n    tick2\n  interval3 1 ms, 2 times\n",  // without clear
                       "main\n  timeout1 9 ms\n    tick2\n      clear timeout1\n",       // without interval
                       "main\n  tick1\n  interval2 1 ms, 2 times\n",  // b in the place of a
                       "main\n  timeout1 9 ms\n    clear timeout1\n  interval3 1 ms, 2 times\n",
                       "main\n  timeout1 1 ms\n    tick2\n      clear timeout1\n  interval4 1 ms, 2 times\n",
                       "main\n  timeout1 9 ms\n    tick2\n      clear timeout1\n  interval4 1 ms\n",
                   }));
}

// A subject that plays ticks and immediates of main only.
Subject simple_subject(bool backwards) {
  return {.id = "simple",
          .profile = {},
          .play = [backwards](const ProgramFile& file) -> Expected<std::vector<Run>> {
            std::vector<Run> runs;
            for (const Program& program : file.programs) {
              runs.push_back({program.id, play_backwards(program)});
              if (!backwards) std::ranges::sort(runs.back().steps, {}, &Step::label);
            }
            return runs;
          }};
}

TEST(CampaignTest, counts_what_is_refused_and_makes_one_of_each_rule_small) {
  const Plan plan{.programs = 200, .shape = {}, .shrink_tries = 1};
  const auto campaign = run_campaign(plan, simple_subject(true));
  ASSERT_TRUE(campaign);
  EXPECT_EQ(campaign->programs, 200u);
  EXPECT_GT(campaign->refused, 100u);
  ASSERT_FALSE(campaign->findings.empty());
  EXPECT_LE(campaign->findings.size(), plan.findings_most);
  for (size_t i = 0; i < campaign->findings.size(); ++i)
    EXPECT_LT(campaign->findings[i].program.size(), campaign->original[i].program.size());
}

TEST(DifferentialTest, tells_a_freedom_from_a_fault) {
  const Plan plan{.programs = 50, .shape = {}};
  const auto difference = compare(plan, simple_subject(true), simple_subject(true));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->same, 50u);
  const auto other = compare(plan, simple_subject(true), simple_subject(false));
  ASSERT_TRUE(other);
  EXPECT_GT(other->unexplained, 0u);
  EXPECT_EQ(other->same + other->explained + other->unexplained, 50u);
}

TEST(TimedTierTest, deadlines_far_apart_come_in_order) {
  Program program;
  const Label tick = program.add(kMain, {.verb = Verb::tick});
  const Label late = program.add(tick, {.verb = Verb::timeout, .ms = 20});
  const Label early = program.add(tick, {.verb = Verb::timeout, .ms = 5});
  const Step ran_late{late, StepKind::callback};
  const Step ran_early{early, StepKind::callback};
  const Step ran_tick{tick, StepKind::callback};
  EXPECT_TRUE(is_as_on_an_idle_machine(program, {0, {ran_tick, ran_early, ran_late}, {0, 5100, 20100}}));
  EXPECT_FALSE(is_as_on_an_idle_machine(program, {0, {ran_tick, ran_late, ran_early}, {0, 25000, 25010}}));
  EXPECT_TRUE(is_as_on_an_idle_machine(program, {0, {ran_tick, ran_late, ran_early}, {}})) << "no times";
}

}  // namespace
}  // namespace tickmark::programs::programs_test
