#pragma once
// Has subjects play the rules and judges them: what `conform` does, and what `run` does after its trials.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "conformance/oracle/rule.h"
#include "conformance/oracle/verdict.h"
#include "harness/base/error.h"
#include "harness/process/registry.h"

namespace tickmark::cli {

struct PassRequest {
  std::vector<std::string> subjects;  ///< names as typed; empty: every available subject that can play
  std::vector<std::string> rules;     ///< ids or their folders; empty: all
  unsigned repeat = 20;
  unsigned jobs = 0;                  ///< player processes at once; 0: one for each core
  bool apart = false;                 ///< every run in a process of its own
  std::string mode;                   ///< of JavaScript players: cjs, esm, worker; "" = their default
  conformance::Versions judged_as;    ///< of --as, laid over what `describe` reports
  std::string judged_as_written;      ///< the same as it was written, for commands that reproduce
  std::filesystem::path traces;       ///< where failing runs are kept; "" = nowhere
  int background_connections = 0;     ///< > 0: also judge a background program beside so many live sockets
  bool rules_under_load = false;      ///< play the rules themselves beside them, too, where the player can
  std::function<bool()> interrupted;  ///< polled between subjects
  std::function<void(const std::string& subject, size_t done, size_t of)> progress;
  std::function<void(const conformance::Verdict&)> verdict;  ///< each as it is known
};

struct PassResult {
  std::vector<conformance::Verdict> verdicts;
  std::vector<std::string> findings;           ///< sentences: violations no expectations file lists
  std::vector<std::string> vacuous;            ///< sentences: rules that never had anything to judge
  std::vector<std::string> unexpected_passes;  ///< sentences: listed deviations that did not show
  std::vector<std::string> skipped;            ///< sentences: subjects that cannot play here, and why
};

/// Errors: an unknown subject or rule (kUsage), nothing could be run (kEnvironment).
Expected<PassResult> conformance_pass(process::Registry& registry, const PassRequest& request);

/// Rules under the product's root; with `wanted`, those whose id is one of them or lies below one of them.
Expected<std::vector<conformance::Rule>> select_rules(const std::filesystem::path& root,
                                                      const std::vector<std::string>& wanted);

}  // namespace tickmark::cli
