// The guard: the small process between the harness and one subject. It exists so that no subject
// outlives the harness, however either of them ends: it adopts every process of the subject's tree
// (child subreaper), and when its control socket closes - which the kernel does for a harness killed at
// any moment - it ends the whole tree, also what has been daemonised, stopped, or spins.
//
//   guard --control FD [--cpus 0,1] [--directory D] -- PROGRAM [ARGUMENT...]
//
// The subject gets the guard's stdin, stdout and stderr; the guard itself lets go of them, else their
// readers would never see the end. On FD the guard writes JSON lines:
//   {"started":{"pid"}} | {"start_failed":{"errno","what"}}
//   {"exit":{"code","signal","leftover"}}    the subject's root process has ended
//   {"done":{"user_ns","system_ns","max_rss_bytes","voluntary_switches","involuntary_switches"}}  all have
// and reads commands, one letter each: T = SIGTERM to the root process, K = end the whole tree.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/process/process_tree.h"

namespace {

using tickmark::UniqueFd;
using tickmark::process::read_process_tree;

struct Arguments {
  int control = -1;
  bool pin = false;
  cpu_set_t cpus{};
  const char* directory = nullptr;
  char** command = nullptr;  ///< null-terminated
};

/// The harness is the only caller; a mistake here is a programmer's.
Arguments parse(int argc, char** argv) {
  Arguments arguments;
  CPU_ZERO(&arguments.cpus);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--") {
      arguments.command = argv + i + 1;
      break;
    }
    if (flag == "--control") {
      arguments.control = std::atoi(argv[i + 1]);
    } else if (flag == "--directory") {
      arguments.directory = argv[i + 1];
    } else if (flag == "--cpus") {
      arguments.pin = true;
      for (const char* cursor = argv[i + 1]; *cursor != '\0';) {
        char* next = nullptr;
        CPU_SET(std::strtoul(cursor, &next, 10), &arguments.cpus);
        if (next == cursor) break;
        cursor = *next == ',' ? next + 1 : next;
      }
    }
  }
  if (arguments.control < 3 || arguments.command == nullptr) {
    fmt::print(
        stderr,
        "guard: is started by tickmark; expected --control FD [--cpus LIST] [--directory D] -- PROGRAM\n");
    std::exit(2);
  }
  return arguments;
}

void say(int control, const std::string& line) {
  // A harness that is gone cannot listen; its end of the socket is noticed in the main loop.
  (void)::send(control, line.data(), line.size(), MSG_NOSIGNAL);
}

/// What failed between fork and exec; travels through a pipe that a successful exec closes.
struct StartFailure {
  int error = 0;
  char what[12] = "";
};

[[noreturn]] void become_subject(const Arguments& arguments, pid_t guard, int failures) {
  StartFailure failure;
  const auto fail = [&](const char* what) {
    failure.error = errno;
    std::strncpy(failure.what, what, sizeof failure.what - 1);
    (void)!::write(failures, &failure, sizeof failure);
    ::_exit(127);
  };
  // If even the guard is killed, the kernel ends at least the root process.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != guard) ::_exit(127);
  ::setpgid(0, 0);  // a subject that signals its own group must not hit the guard
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (arguments.pin && ::sched_setaffinity(0, sizeof arguments.cpus, &arguments.cpus) != 0) fail("affinity");
  if (arguments.directory != nullptr && ::chdir(arguments.directory) != 0) fail("chdir");
  ::execvp(arguments.command[0], arguments.command);
  fail("exec");
  ::_exit(127);
}

/// Starts the subject and lets go of its pipes. Returns its pid, or 0 after telling the harness why not.
pid_t start_subject(const Arguments& arguments) {
  int pipes[2];
  if (::pipe2(pipes, O_CLOEXEC) != 0) {
    say(arguments.control, fmt::format("{{\"start_failed\":{{\"errno\":{},\"what\":\"pipe\"}}}}\n", errno));
    return 0;
  }
  UniqueFd failures_in(pipes[0]), failures_out(pipes[1]);
  const pid_t guard = ::getpid();
  const pid_t root = ::fork();
  if (root == 0) become_subject(arguments, guard, failures_out.get());
  const int fork_error = errno;
  failures_out.reset();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null.get(), fd);
  if (root < 0) {
    say(arguments.control,
        fmt::format("{{\"start_failed\":{{\"errno\":{},\"what\":\"fork\"}}}}\n", fork_error));
    return 0;
  }
  StartFailure failure;
  ssize_t n;
  do {
    n = ::read(failures_in.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof failure) {
    say(arguments.control,
        fmt::format("{{\"start_failed\":{{\"errno\":{},\"what\":\"{}\"}}}}\n", failure.error, failure.what));
    ::waitpid(root, nullptr, 0);
    return 0;
  }
  say(arguments.control, fmt::format("{{\"started\":{{\"pid\":{}}}}}\n", root));
  return root;
}

/// Watches over one tree until nothing of it is left.
class Watch {
 public:
  Watch(int control, pid_t root) : control_(control), root_(root) {}

  void run(int signals) {
    while (true) {
      pollfd waits[2] = {{control_, POLLIN, 0}, {signals, POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
      if (waits[1].revents != 0) {
        signalfd_siginfo info;
        while (::read(signals, &info, sizeof info) == sizeof info) {
          if (info.ssi_signo != SIGCHLD) return end_tree();  // somebody ends the guard: its tree goes with it
        }
        reap();
        if (root_ended_) return end_tree();
      }
      if (waits[0].revents != 0 && !obey()) return end_tree();
    }
    end_tree();
  }

 private:
  /// One command of the harness; false if the tree is to end (on command, or because the harness is gone).
  bool obey() {
    char command;
    const ssize_t n = ::recv(control_, &command, 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n != 1 || command == 'K') return false;
    if (command == 'T' && !root_ended_) ::kill(root_, SIGTERM);
    return true;
  }

  /// Waits for whoever has ended; false if no child is left at all. As subreaper we are the parent of every
  /// orphan of the tree, so "no child" means "no descendant".
  bool reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == 0) return true;
      if (pid < 0) {
        if (errno == EINTR) continue;
        return false;
      }
      if (pid == root_) {
        root_ended_ = true;
        status_ = status;
      }
    }
  }

  int living() const {
    const auto tree = read_process_tree(::getpid());
    return static_cast<int>(std::ranges::count_if(
        tree, [](const auto& process) { return process.pid != ::getpid() && process.state != 'Z'; }));
  }

  /// SIGKILL also ends stopped processes. Repeated, because a process may fork while we look; never gives up,
  /// because returning would orphan what is left.
  void end_tree() {
    const bool by_itself = root_ended_;
    const int leftover = by_itself ? living() : 0;
    if (by_itself) report_exit(leftover);
    for (unsigned pause_us = 200; reap(); pause_us = std::min(pause_us * 2, 20'000u)) {
      for (const auto& process : read_process_tree(::getpid())) {
        if (process.pid != ::getpid() && process.state != 'Z') ::kill(process.pid, SIGKILL);
      }
      ::usleep(pause_us);
    }
    if (!by_itself) report_exit(0);
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto nanos = [](const timeval& t) { return t.tv_sec * 1'000'000'000LL + t.tv_usec * 1'000LL; };
    say(control_, fmt::format("{{\"done\":{{\"user_ns\":{},\"system_ns\":{},\"max_rss_bytes\":{},"
                              "\"voluntary_switches\":{},\"involuntary_switches\":{}}}}}\n",
                              nanos(used.ru_utime), nanos(used.ru_stime), used.ru_maxrss * 1024LL,
                              used.ru_nvcsw, used.ru_nivcsw));
  }

  void report_exit(int leftover) const {
    say(control_, fmt::format("{{\"exit\":{{\"code\":{},\"signal\":{},\"leftover\":{}}}}}\n",
                              WIFEXITED(status_) ? WEXITSTATUS(status_) : 0,
                              WIFSIGNALED(status_) ? WTERMSIG(status_) : 0, leftover));
  }

  const int control_;
  const pid_t root_;
  bool root_ended_ = false;
  int status_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  // Nothing of the harness's may leak into the subject, and the subject must not hold the control socket.
  if (arguments.control > 3) ::close_range(3, static_cast<unsigned>(arguments.control) - 1, 0);
  ::close_range(static_cast<unsigned>(arguments.control) + 1, ~0u, 0);
  ::fcntl(arguments.control, F_SETFD, FD_CLOEXEC);
  ::setsid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&watched, number);
  ::sigprocmask(SIG_SETMASK, &watched, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);  // inherited "ignored" would make the kernel reap in our place
  const UniqueFd signals(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) {
    say(arguments.control,
        fmt::format("{{\"start_failed\":{{\"errno\":{},\"what\":\"signalfd\"}}}}\n", errno));
    return 1;
  }
  const pid_t root = start_subject(arguments);
  if (root == 0) return 1;
  Watch(arguments.control, root).run(signals.get());
  // At once: the harness has been told "done" and sweeps what is left of this session, and the leak check of
  // a sanitizer build would start a helper process here, lose it to that sweep, and wait for it for ever.
  ::_exit(0);
}
