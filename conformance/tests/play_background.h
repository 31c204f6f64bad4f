#pragma once
// Plays the background program without a workload and judges its trace.

#include <gtest/gtest.h>

#include "conformance/oracle/background.h"
#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {

inline std::vector<Verdict> play_background(const std::string& player, Nanos duration) {
  const ScratchFolder scratch;
  const auto scenario = scratch.path() / "background.json";
  const auto trace = scratch.path() / "trace.ndjson";
  EXPECT_TRUE(write_background_scenario(scenario, 7, duration, 60s));
  const auto result = run_process({std::string(TICKMARK_BINARY_DIR) + "/bin/" + player, "play", "--scenarios",
                                   scenario.string(), "--trace", trace.string()},
                                  90s);
  EXPECT_TRUE(result && result->exit_code == 0 && result->signal == 0) << result->stderr_tail;
  return judge_background(trace, all_rules(), "reference_loop").value();
}

}  // namespace tickmark::conformance
