// A child process: spawn, standard streams, kill, exit status.
//
// The exit callback runs in the poll phase, behind the other events of its batch. Whether it comes before or
// after the end of the child's output is not promised: the pipe may be held open by a grandchild, and the
// kernel closes the child's end while it dies. Wait for both.
//
// Exit is learnt from a pidfd, so nothing here uses SIGCHLD, and the program may. It may not wait for any
// child (waitpid(-1)) or ignore SIGCHLD: then the kernel has nothing left to report, see ExitStatus.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"
#include "reference-loop/socket.h"

namespace refloop {

class Pipe;

// Where one descriptor of the child comes from.
class Stdio {
 public:
  // /dev/null.
  static Stdio ignore() { return {}; }
  // This process's descriptor, shared; it stays the caller's. inherit(1) is this process's standard output.
  static Stdio inherit(int fd) { return Stdio(fd); }
  // A new pair of unix stream sockets, both ways: `ours`, open neither before nor closing, becomes our end
  // when spawn() succeeds; it passes descriptors if it was made to. For a one-way pipe, use inherit() with an
  // end of pipe2() and adopt() the other.
  static Stdio piped(Pipe& ours) { return Stdio(ours); }

 private:
  friend class Spawner;

  Stdio() = default;
  explicit Stdio(int fd) : fd_(fd) {}
  explicit Stdio(Pipe& ours) : ours_(&ours) {}

  int fd_ = -1;
  Pipe* ours_ = nullptr;
};

struct SpawnOptions {
  // arguments[0] is the program, looked for in this process's PATH unless it contains a slash.
  std::vector<std::string> arguments{};
  // "NAME=value" each; this process's environment if absent.
  std::optional<std::vector<std::string>> environment{};
  // Where the child starts, and from where a relative path in arguments[0] counts; here if empty.
  std::string directory{};
  // The child's descriptors 0, 1, 2, ...; those of 0 to 2 that are missing are ignored. It gets no others.
  std::vector<Stdio> stdio{};
  // A session of its own: a signal for our terminal or process group does not reach it.
  bool detached = false;
  // Whom it runs as, if not as this process: EPERM for who may not choose. Where either is given, the child
  // has no supplementary groups; who may not drop them (EPERM) keeps his own. Such a child is forked, at a
  // price that grows with this process's memory.
  std::optional<uid_t> user{};
  std::optional<gid_t> group{};
};

struct ExitStatus {
  int code = 0;       // of exit(), unless a signal ended it
  int signal = 0;     // that ended it; 0: it exited
  bool lost = false;  // somebody else waited for it: nothing is known but that it is gone
  bool core = false;  // it left a core dump

  bool success() const { return code == 0 && signal == 0 && !lost; }
};

// Of the child behind a pidfd, which leaves no zombie then. False: it runs.
bool take_exit_status(int pidfd, ExitStatus& status);

class Process : public Handle {
 public:
  using ExitCallback = void (*)(Process&, ExitStatus status);

  explicit Process(Loop& loop) : Handle(loop, Kind::process) { watch_.process = this; }
  ~Process() override { assert(!pidfd_ && "a process handle must be closed before it is destroyed"); }

  // Starts the child: no signal blocked, every signal at its default. If it returns an error there is no
  // child, also when the program could not be executed (ENOENT, EACCES) or the directory not entered. Once
  // per handle: Error::bad_state after a success, or for a pipe that is not free.
  Result<void> spawn(const SpawnOptions& options, ExitCallback callback);

  // To this child, never to another one that got its number. Error::no_process after the exit was reported.
  Result<void> kill(int signal);

  // -1 before spawn(). The number may serve another process once the exit callback has run.
  pid_t pid() const { return pid_; }

  // Before the exit, close() gives up the child: it runs on, nothing is called back, and it leaves no zombie
  // (a thread of its own waits for it). unref() lets the loop end before the child.

 private:
  struct Watch : FdWatch {
    Process* process = nullptr;
  };

  void begin_close() override;
  Result<void> follow();
  void exited();

  Watch watch_;
  Socket pidfd_;  // open from spawn() to the exit
  pid_t pid_ = -1;
  ExitCallback on_exit_ = nullptr;
};

}  // namespace refloop
