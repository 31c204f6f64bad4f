#pragma once
// Rules x subject -> verdicts: writes scenario files, has the subject play them in as few processes as the
// rules allow, and judges the traces. How a process is started and guarded is the caller's: the oracle owns
// none.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "conformance/oracle/hang.h"
#include "conformance/oracle/rule.h"
#include "conformance/oracle/verdict.h"
#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::conformance {

/// How a player's process ended.
struct ProcessResult {
  int exit_code = 0;
  int signal = 0;          ///< that ended it; 0 = it exited
  bool timed_out = false;  ///< the runner ended it at the deadline
  std::string stderr_tail{};
  Hang hang{};  ///< timed_out: what the runner saw of it just before it ended it
};

/// Runs `argv` with empty stdin until it exits or the deadline passes, and ends its whole process tree.
using RunProcess =
    std::function<Expected<ProcessResult>(const std::vector<std::string>& argv, Nanos deadline)>;

struct ConformPlan {
  std::string subject;            ///< its id in verdicts
  std::vector<std::string> argv;  ///< the subject's command, without the verb `play`
  Versions versions;              ///< as its `describe` reports, overlaid by --as
  std::string judged_as{};        ///< of --as, NAME@VERSION, for the command that reproduces; or ""
  const std::vector<Rule>* rules = nullptr;  ///< selected; must outlive the call
  /// `argv` is the client of the wire layer (player_wire) and plays the rules of that layer, no others; the
  /// subject serves these workloads.
  bool wire = false;
  std::vector<std::string> serves{};
  std::string mode;          ///< of the player: "", cjs, esm, worker; rules for other modes are inapplicable
  unsigned repeat = 20;      ///< runs per rule, >= 1
  unsigned lanes = 1;        ///< processes at once, >= 1; with several, `run` is called from several threads
  bool apart = false;        ///< every run has a process of its own, whether its rule asks for one or not
  bool fresh_loops = false;  ///< the player makes a loop for every run: none needs a process of its own
  int connections = 0;       ///< > 0: the player begins when it holds so many (the runner brings them)
  Nanos run_deadline = 5s;   ///< a single run longer than this is a hang
  std::filesystem::path folder;  ///< scratch for scenario and trace files; must exist
  std::filesystem::path traces;  ///< where the first failing run of a rule is kept; "" = nowhere
  std::function<void(size_t done, size_t of)>
      progress;  ///< rules settled so far; may be empty; never twice at once
};

/// One verdict per rule of the plan's layer or layers, in the rules' order. Rules with a `builtin` are
/// skipped: they are judged beside a live workload (background.h). An error only when nothing at all could be
/// run (scratch not writable, no process).
Expected<std::vector<Verdict>> conform(const ConformPlan& plan, const RunProcess& run);

}  // namespace tickmark::conformance
