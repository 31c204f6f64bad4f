#include "harness/run/suite.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

/// The error of a suite with this text, or "" if it was accepted.
std::string error_of(const std::string& text) {
  std::string folder = (fs::temp_directory_path() / "suite_test_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return "no folder";
  std::ofstream(fs::path(folder) / "s.yaml") << text;
  auto suite = load_suite(folder, "s");
  fs::remove_all(folder);
  return suite ? "" : suite.error().message;
}

std::string with_cell(const std::string& cell) {
  return "says: x\nreference_subject: r\ncalibration_ms: 100\ncells:\n  - " + cell + "\n";
}

TEST(Suite, EveryCommittedSuiteLoads) {
  const fs::path folder = fs::path(TICKMARK_SOURCE_DIR) / "harness/run/suites";
  const auto names = suite_names(folder);
  for (const char* documented : {"full", "quick", "smoke", "standard"}) {
    EXPECT_EQ(std::ranges::count(names, documented), 1) << documented;
  }
  for (const std::string& name : names) {
    auto suite = load_suite(folder, name);
    ASSERT_TRUE(suite) << suite.error().message;
    // Who is compared with must be asked.
    const auto& asked = suite->subjects;
    if (asked.empty()) {
      EXPECT_EQ(suite->reference_subject, "reference_loop");
    } else {
      EXPECT_EQ(std::ranges::count(asked, suite->reference_subject), 1) << name;
    }
  }
}

TEST(Suite, UnknownNamesTellTheKnownOnes) {
  auto suite = load_suite(fs::path(TICKMARK_SOURCE_DIR) / "harness/run/suites", "quik");
  ASSERT_FALSE(suite);
  EXPECT_EQ(suite.error().kind, ErrorKind::kUsage);
  EXPECT_NE(suite.error().message.find("quick, smoke, standard"), std::string::npos);
  EXPECT_FALSE(load_suite(TICKMARK_SOURCE_DIR, "../suites/quick"));
}

TEST(Suite, AcceptsAMinimalCell) {
  EXPECT_EQ(
      error_of(with_cell("{workload: hello, loop: closed, connections: 4, blocks: 1, duration_ms: 100}")),
      "");
}

struct Broken {
  const char* cell;
  const char* says;
};

class BrokenCell : public testing::TestWithParam<Broken> {};

TEST_P(BrokenCell, IsRefusedWithLineAndReason) {
  const std::string error = error_of(with_cell(GetParam().cell));
  EXPECT_NE(error.find(GetParam().says), std::string::npos) << "'" << error << "'";
  EXPECT_NE(error.find("s.yaml line 5"), std::string::npos) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Suite, BrokenCell,
    testing::Values(
        Broken{"{workload: hello, loop: closed, conections: 4, duration_ms: 100}",
               "unknown key 'conections'"},
        Broken{"{workload: hello, loop: closed, connections: 0, duration_ms: 100}", "whole number from 1"},
        Broken{"{workload: hello, loop: open, connections: 4, duration_ms: 100}",
               "needs capacity_shares or rate"},
        Broken{"{workload: hello, loop: closed, rate_per_s: 5, duration_ms: 100}",
               "closed and storm have neither"},
        Broken{"{workload: hello, loop: open, rate_per_s: 5, capacity_shares: [1], duration_ms: 9}",
               "not both"},
        Broken{"{workload: hello, loop: open, capacity_shares: [-1], duration_ms: 9}", "number above 0"},
        Broken{"{workload: hello, loop: round, duration_ms: 100}", "open, closed or storm"},
        Broken{"{loop: closed, duration_ms: 100}", "needs a workload"},
        Broken{"{workload: hello, loop: closed}", "needs duration_ms"},
        Broken{"{workload: hello, loop: closed, duration_ms: 1, placement: near}", "isolated or shared"},
        Broken{"{workload: hello, loop: closed, duration_ms: 1, beside: [{variant: x}]}", "needs a name"}));

}  // namespace
}  // namespace tickmark::run
