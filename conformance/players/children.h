#pragma once
// The child processes of scenarios: programs that every system has.

#include <csignal>
#include <string>
#include <vector>

#include "conformance/players/scenario.h"

namespace tickmark::conformance {

/// Its command line: exits with the step's code, or, if it waits, copies its standard input until that ends.
inline std::vector<std::string> child_command(const Step& step) {
  if (step.waits) return {"/bin/cat"};
  return {"/bin/sh", "-c", "exit " + std::to_string(step.code)};
}

/// The signal of the `signal` and `raise` verbs: ignored while nobody watches it.
constexpr int kScenarioSignal = SIGWINCH;

/// How a child ended, in the words of docs/traces.md.
inline const char* exit_status_name(int64_t code, int signal) {
  if (signal != 0) return "killed";
  return code == 0 ? "" : "failed";
}

}  // namespace tickmark::conformance
