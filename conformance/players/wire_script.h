#pragma once
// Scenarios of the wire layer (docs/scenarios.md, "The wire"), as structs: what a client does to a server it
// knows nothing of, and what it waits for.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance::wire {

enum class Verb {
  open,
  expect,
  expect_end,
  after,
  stalled,  // these have a callback
  say,
  say_end,
  pause,
  resume,
  reset,
  hang_up,
};

std::string_view name_of(Verb verb);
bool has_callback(Verb verb);

struct Step {
  Verb verb = Verb::say;
  std::string label;
  std::string target;  ///< connections of verbs without a callback
  std::string on;      ///< connections of those with one
  long ms = 0;
  long count = 1;            ///< connections opened under one name
  long receive_buffer = 0;   ///< bytes; 0 = the system's default
  std::string text;          ///< said; of HTTP
  long bytes = 0;            ///< of the workload `sockets`
  long times = 1;            ///< of text or answers
  long piece = 0;            ///< bytes per segment, one a millisecond; 0 = as many as fit
  bool end = false;          ///< the end of what we say comes in the last segment of it
  std::vector<int> answers;  ///< statuses, in order
  std::string body;          ///< of each answer; "" = any
  std::vector<Step> then;
  std::map<unsigned, std::vector<Step>> at;  ///< steps of the n-th callback, from 1
};

struct Scenario {
  std::string id;
  std::string workload;
  std::vector<Step> steps;
};

struct Script {
  unsigned repeat = 1;
  std::vector<Scenario> scenarios;
};

/// Reads and checks the file; what it does not know is refused, with one sentence.
Expected<Script> read_script(const std::filesystem::path& path);

}  // namespace tickmark::conformance::wire
