#pragma once
// One program under the guard, with its pipes: what SubjectProcess and run_once share. Not for use outside
// of this folder.

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"
#include "harness/process/subject_process.h"

namespace tickmark::process {

struct GuardedOptions {
  std::vector<int> cpus;
  std::map<std::string, std::string> environment;
  std::filesystem::path directory;
  bool keep_output = false;  ///< collect stdout (run_once); else only look for its lines (serve)
  size_t output_limit = 0;   ///< with keep_output, bytes
  std::string stdin_text;    ///< fed to it
  bool close_stdin = false;  ///< after stdin_text; else it stays open until close_stdin() or the end
};

/// What the pump thread has seen so far.
struct Observed {
  std::string out;  ///< keep_output
  bool out_truncated = false;
  std::optional<std::string> first_line;  ///< of stdout, without its newline; cut at 64 KiB
  std::string final_line;                 ///< the last line of stdout that contains "final"
  std::string err_tail;                   ///< last 4 KiB of stderr
  pid_t root = 0;                         ///< once started
  int start_errno = 0;                    ///< why not
  std::string start_what;                 ///< exec, chdir, affinity ...
  bool ended = false;                     ///< the root process has ended: code, signal, leftover
  int code = 0, signal = 0, leftover = 0;
  std::optional<TreeRusage> rusage;
  bool gone = false;  ///< guard and tree are gone, all output has been read
};

class Guarded {
 public:
  static constexpr size_t kTailBytes = 4096;
  static constexpr size_t kLineBytes = 64 * 1024;
  static constexpr std::string_view kTagVariable = "TICKMARK_GUARD_TAG";  ///< in the tree's environment

  /// Returns when the program runs; kSubject where it could not be started.
  static Expected<std::unique_ptr<Guarded>> start(const Command& command, GuardedOptions options);
  ~Guarded();  ///< ends the tree
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  pid_t guard_pid() const { return guard_; }
  bool alive() const;  ///< the root process has not ended
  Observed observed() const;
  /// Waits until `done` says so of what was seen, or until `deadline` (as of now()); whether it did.
  bool wait(Nanos deadline, const std::function<bool(const Observed&)>& done) const;
  void close_stdin();  ///< only where stdin_text was empty
  void terminate();    ///< SIGTERM to the root process
  void end();          ///< ends the tree by force and returns when nothing of it is left

 private:
  Guarded() = default;
  Expected<void> launch(const Command& command);
  void pump();
  bool read_stream(UniqueFd& fd, bool is_err);
  bool read_control();
  void feed_stdin();
  bool stdin_text_left() const;
  void take_output(std::string_view bytes);
  void take_line();
  void take_message(const std::string& line);
  void sweep() const;

  GuardedOptions options_;
  std::string tag_;  ///< in the environment of every process of the tree
  pid_t guard_ = 0;
  UniqueFd control_, stdin_, out_, err_;
  size_t fed_ = 0;                   ///< pump only: how much of stdin_text has been written
  std::string line_, control_text_;  ///< pump only: incomplete lines
  std::thread pump_;
  mutable std::mutex mutex_;  ///< of seen_ and of stdin_'s life
  mutable std::condition_variable changed_;
  Observed seen_;
};

/// argv as a person would type it, cut at 160 characters.
std::string command_text(const Command& command);

/// "; its stderr ends: ..." or that it is empty; lines joined, at most 600 characters.
std::string stderr_clause(const std::string& tail);

/// "exit code 1", "signal 11 (Segmentation fault)".
std::string describe_end(int code, int signal);

ExitReport report_of(const Observed& seen);

}  // namespace tickmark::process
