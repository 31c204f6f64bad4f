// Random programs alone find the broken loops, but for those whose fault no program can meet: these are
// listed, with the reason, in conformance/programs/out_of_reach.yaml. (Not in sanitized builds, as
// mutants_test.cpp.)
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <yaml-cpp/yaml.h>

#include "conformance/programs/campaign.h"
#include "conformance/tests/mutant_files.h"
#include "conformance/tests/run_process.h"

namespace tickmark::programs::program_mutants_test {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = TICKMARK_SOURCE_DIR;
const std::string kBin = std::string(TICKMARK_BINARY_DIR) + "/bin/";

std::vector<std::string> mutants_that_are(bool equivalent) {
  std::vector<std::string> names;
  for (const conformance::Mutant& mutant : conformance::read_mutants(kSource / "conformance/mutants")) {
    if (mutant.equivalent == equivalent) names.push_back(mutant.name);
  }
  return names;
}

const std::map<std::string, std::string>& out_of_reach() {
  static const auto listed = [] {
    const YAML::Node file = YAML::LoadFile((kSource / "conformance/programs/out_of_reach.yaml").string());
    return file.IsNull() ? std::map<std::string, std::string>()
                         : file.as<std::map<std::string, std::string>>();
  }();
  return listed;
}

// A player in virtual time; one that dies has the runs before that.
Subject subject_of(const std::string& program, const conformance::ScratchFolder& scratch) {
  Profile profile = virtual_profile();
  return {.id = program,
          .profile = profile,
          .play = [program, &scratch](const ProgramFile& file) -> Expected<std::vector<Run>> {
            const fs::path scenarios = scratch.path() / "programs.json";
            const fs::path trace = scratch.path() / "runs.ndjson";
            fs::remove(trace);
            if (auto written = write_programs(scenarios, file); !written)
              return std::unexpected(written.error());
            const auto ended =
                conformance::run_process({kBin + program, "play", "--scenarios", scenarios.string(),
                                          "--trace", trace.string(), "--option", "time=virtual"},
                                         60s);
            if (!ended) return std::unexpected(ended.error());
            std::vector<Run> runs;
            if (auto read = read_runs(trace, [&](Run&& run) { runs.push_back(std::move(run)); }); !read)
              return std::unexpected(read.error());
            return runs;
          }};
}

Campaign campaign_on(const std::string& program, uint64_t programs, size_t findings_most = 0) {
  const conformance::ScratchFolder scratch;
  const Plan plan{
      .programs = programs, .shape = {}, .chunk = 500, .shrink_tries = 3, .findings_most = findings_most};
  return run_campaign(plan, subject_of(program, scratch)).value();
}

constexpr uint64_t kPrograms = 500;

TEST(ProgramMutants, the_loop_itself_is_refused_nothing) {
  const Campaign campaign = campaign_on("player_refloop", kPrograms, 1);
  EXPECT_EQ(campaign.missing, 0u);
  EXPECT_EQ(campaign.refused, 0u) << (campaign.findings.empty() ? ""
                                                                : to_text(campaign.findings[0].program,
                                                                          campaign.findings[0].refusal));
}

class EachMutantOfPrograms : public testing::TestWithParam<std::string> {};

TEST_P(EachMutantOfPrograms, is_killed_by_random_programs_or_listed_as_out_of_their_reach) {
  const Campaign campaign = campaign_on("mutant_" + GetParam(), kPrograms);
  const bool is_killed = campaign.refused + campaign.missing > 0;
  std::string rules;
  for (const auto& [rule, count] : campaign.by_rule) rules += std::string(name_of(rule)) + " ";
  RecordProperty("killed_by", rules);
  const bool is_listed = out_of_reach().contains(GetParam());
  EXPECT_FALSE(is_killed && is_listed)
      << rules << "found it: take it off the list of conformance/programs/out_of_reach.yaml";
  EXPECT_TRUE(is_killed || is_listed)
      << "no program found it: if none can, say why in conformance/programs/out_of_reach.yaml";
}

INSTANTIATE_TEST_SUITE_P(Mutants, EachMutantOfPrograms, testing::ValuesIn(mutants_that_are(false)),
                         [](const auto& each) { return each.param; });

class EquivalentMutantOfPrograms : public testing::TestWithParam<std::string> {};

TEST_P(EquivalentMutantOfPrograms, survives) {
  const Campaign campaign = campaign_on("mutant_" + GetParam(), kPrograms, 1);
  EXPECT_EQ(campaign.missing, 0u);
  // No rule asks for Node's lists of timeouts, because nobody promises them. The acceptor does: it knows an
  // implementation.
  const bool differs_from_node = GetParam() == "timeouts_by_deadline";
  EXPECT_EQ(campaign.refused > 0, differs_from_node)
      << (campaign.findings.empty() ? ""
                                    : to_text(campaign.findings[0].program, campaign.findings[0].refusal));
}

INSTANTIATE_TEST_SUITE_P(Mutants, EquivalentMutantOfPrograms, testing::ValuesIn(mutants_that_are(true)),
                         [](const auto& each) { return each.param; });

TEST(ProgramMutants, what_is_listed_exists) {
  const auto names = mutants_that_are(false);
  for (const auto& [name, reason] : out_of_reach()) {
    EXPECT_TRUE(std::ranges::binary_search(names, name)) << name;
    EXPECT_FALSE(reason.empty()) << name;
  }
}

// The way from a refusal to what a person reads.
TEST(ProgramMutants, a_refusal_shrinks_to_the_few_actions_it_takes) {
  const Campaign campaign = campaign_on("mutant_immediates_lifo", 100, 1);
  ASSERT_EQ(campaign.findings.size(), 1u);
  const Finding& finding = campaign.findings[0];
  EXPECT_EQ(to_text(finding.program), "main\n  immediate1\n  immediate2\n");
  EXPECT_EQ(to_text(finding.program, finding.refusal),
            "immediate2 came as number 1, but only immediate1 could: one check phase runs the immediates set "
            "before "
            "it, in order, and nothing else between them (check_runs_its_own)");
}

}  // namespace
}  // namespace tickmark::programs::program_mutants_test
