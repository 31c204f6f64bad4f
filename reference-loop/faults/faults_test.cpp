// The loop is right when the kernel says no: every system call of sys.h, every fault of its manual page.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "reference-loop/faults/campaign.h"

namespace refloop::faults::faults_test {
namespace {

constexpr const char* kTable = TICKMARK_SOURCE_DIR "/docs/faults.md";

// Played once, for all tests.
const Campaign& campaign() {
  static constexpr BackendKind kBackends[] = {BackendKind::epoll, BackendKind::io_uring,
                                              BackendKind::simulated};
  static const Campaign done = run_campaign(kBackends);
  return done;
}

TEST(Faults, break_no_promise) {
  for (const std::string& failure : campaign().failures) ADD_FAILURE() << failure;
}

TEST(Faults, were_all_injected) {
  for (const Row& row : campaign().rows) {
    EXPECT_TRUE(std::ranges::any_of(row.scenarios, [](unsigned struck) { return struck > 0; }))
        << display_name(*row.call) << " " << row.fault->name << ": no scenario makes this call";
  }
}

// What tells a row of the table from the others: "| call | fault |". Empty for a line that is no row.
std::string key_of(const std::string& line) {
  if (!line.starts_with("| ")) return "";
  return line.substr(0, line.find('|', line.find('|', 1) + 1));
}

std::vector<std::string> lines_of(std::istream&& text) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// Which of two processes a fault strikes is a race, and on another machine another may win: of some hundred
// rows a few may tell another story than the committed ones. Each is printed.
constexpr unsigned kRaces = 8;

TEST(Faults, are_written_down) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "fewer calls were struck than the table tells of";
#endif
  const std::string generated = to_markdown(campaign());
  if (std::getenv("REFLOOP_WRITE_TABLE")) std::ofstream(kTable) << generated;
  const std::vector<std::string> happened = lines_of(std::istringstream(generated));
  const std::vector<std::string> committed = lines_of(std::ifstream(kTable));
  constexpr const char* kAdvice =
      "; REFLOOP_WRITE_TABLE=1 writes docs/faults.md anew, git diff tells the rest";
  ASSERT_EQ(happened.size(), committed.size()) << kAdvice;
  unsigned races = 0;
  for (size_t i = 0; i < happened.size(); ++i) {
    if (happened[i] == committed[i]) continue;
    ASSERT_FALSE(key_of(happened[i]).empty()) << happened[i] << kAdvice;
    ASSERT_EQ(key_of(happened[i]), key_of(committed[i])) << kAdvice;
    std::printf("happened:  %s\ncommitted: %s\n", happened[i].c_str(), committed[i].c_str());
    ++races;
  }
  EXPECT_LE(races, kRaces) << kAdvice;
}

}  // namespace
}  // namespace refloop::faults::faults_test
