// The loop is right when the kernel says no: every system call of sys.h, every fault of its manual page.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

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

TEST(Faults, are_written_down) {
  const std::string generated = to_markdown(campaign());
  if (std::getenv("REFLOOP_WRITE_TABLE")) std::ofstream(kTable) << generated;
  std::stringstream committed;
  committed << std::ifstream(kTable).rdbuf();
  EXPECT_TRUE(committed.str() == generated)
      << "docs/faults.md is not what happened; REFLOOP_WRITE_TABLE=1 writes it anew, git diff tells the rest";
}

}  // namespace
}  // namespace refloop::faults::faults_test
