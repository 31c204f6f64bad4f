#pragma once
// A subject as the harness holds it: a process tree under the guard (guard_main.cpp), a ready line, a
// bounded tail of its stderr, and an end that always comes.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/process/accounting.h"

namespace tickmark::process {

using Command = std::vector<std::string>;  ///< argv; [0] is looked up on PATH if it has no slash

struct StartOptions {
  std::vector<int> cpus;                           ///< the subject's affinity; empty = inherit
  std::map<std::string, std::string> environment;  ///< added to the harness's own
  std::filesystem::path directory;                 ///< working directory; empty = inherit
  Nanos ready_deadline = 10s;                      ///< from start to the ready line
};

/// The subject's ready line.
struct Ready {
  std::string address;  ///< numeric
  uint16_t port = 0;
  pid_t pid = 0;  ///< root of the tree that is accounted; checked to be a process of this subject
  int workers = 1;
  nlohmann::json document;  ///< the whole object under "ready"
};

/// CPU and memory of everything the guard waited for, from getrusage(RUSAGE_CHILDREN) at its end.
struct TreeRusage {
  Nanos user{0}, system{0};
  uint64_t max_rss_bytes = 0;  ///< of the largest single process
  uint64_t voluntary_switches = 0, involuntary_switches = 0;
};

/// How a subject ended.
struct ExitReport {
  int code = 0;                   ///< exit status if it exited, else 0
  int signal = 0;                 ///< signal that ended it, else 0
  bool hung = false;              ///< a deadline passed: no ready line, or no end after SIGTERM
  bool crashed = false;           ///< it ended by itself before it was asked to, or on a signal nobody sent
  int leftover = 0;               ///< processes of its tree that were still there when its root had ended
  nlohmann::json final_counters;  ///< the object under "final"; null if it printed none
  std::string stderr_tail;        ///< last 4 KiB
  std::optional<TreeRusage> rusage;          ///< absent if the guard itself was killed
  std::optional<TreeUsage> usage_when_hung;  ///< hung: since its start, just before it was ended by force
};

/// A running subject. Movable; used from one thread. A thread of its own reads the subject's output, so
/// that a flood never blocks it; output beyond the bounds is dropped, not stored. The destructor ends the
/// whole tree by force.
class SubjectProcess {
 public:
  /// Starts `command` under the guard and waits for its ready line. Faults of the subject (no such
  /// program, crash, garbage or no ready line in time) are Error kSubject with its stderr tail in the
  /// sentence; then `*fault`, if given, says how it ended. kEnvironment: no guard, no descriptors.
  static Expected<SubjectProcess> start(const Command& command, const StartOptions& options = {},
                                        ExitReport* fault = nullptr);

  SubjectProcess(SubjectProcess&&) noexcept;
  SubjectProcess& operator=(SubjectProcess&&) noexcept;
  ~SubjectProcess();

  const Ready& ready() const;
  pid_t guard_pid() const;
  /// Resources of the tree under ready().pid; see accounting.h.
  TreeUsage usage(UsageDetail detail) const;

  /// The subject's root process has not ended.
  bool alive() const;
  /// SIGSTOP / SIGCONT to every process of the tree (not the guard). Returns how many were signalled.
  int freeze();
  int thaw();

  /// Ends it: stdin is closed; after `grace` SIGTERM; after another `term_grace` SIGKILL to the tree. Returns
  /// when no process of the tree is left. Thaws a frozen tree first. Idempotent.
  ExitReport stop(Nanos grace = 2s, Nanos term_grace = 1s);
  /// How it ended; nothing while it is alive.
  std::optional<ExitReport> exit_report() const;
  /// What it has written to stderr so far, last 4 KiB.
  std::string stderr_tail() const;

 private:
  struct Impl;
  explicit SubjectProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a program said that ran to its end.
struct RunOutput {
  std::string out;         ///< at most `output_limit` bytes
  bool truncated = false;  ///< it wrote more than that
  ExitReport exit;         ///< hung = it missed its deadline and was ended by force
};

struct RunOptions {
  Nanos deadline = 10s;
  std::string stdin_text;   ///< fed to it; then its stdin is closed
  bool hold_stdin = false;  ///< keep stdin open until it ends (after stdin_text)
  size_t output_limit = 16u << 20;
  std::vector<int> cpus;
  std::map<std::string, std::string> environment;
  std::filesystem::path directory;
};

/// Runs a program under the guard until it ends or its deadline passes. A non-zero status is not an error
/// here; kSubject: it could not be started.
Expected<RunOutput> run_once(const Command& command, const RunOptions& options = {});

}  // namespace tickmark::process
