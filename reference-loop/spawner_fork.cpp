// A child that runs as another user or group: by fork(), because posix_spawn() knows no such thing.
#include <algorithm>
#include <cerrno>
#include <grp.h>
#include <signal.h>

#include "reference-loop/spawner.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// What the child has to say: an errno, or nothing, if it became the program. Whatever interrupts the reading.
Result<int> read_error(int fd) {
  int error = 0;
  std::size_t have = 0;
  while (have < sizeof error) {
    const ssize_t got = sys::read(fd, reinterpret_cast<char*>(&error) + have, sizeof error - have);
    if (got == 0) return 0;
    if (got > 0)
      have += static_cast<std::size_t>(got);
    else if (errno != EINTR && errno != EAGAIN)
      return failure(last_error());
  }
  return error;
}

void wait_for_end(pid_t child) {
  siginfo_t info;
  while (sys::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

// As the kernel starts a program: no signal blocked, each at its default.
bool reset_signals() {
  struct ::sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    sys::sigaction(number, &by_default, static_cast<struct ::sigaction*>(nullptr));  // not of SIGKILL: fine
  sigset_t none;
  sigemptyset(&none);
  return sys::pthread_sigmask(SIG_SETMASK, &none, static_cast<sigset_t*>(nullptr)) == 0;
}

int open_nothing() {
  int fd;
  do fd = sys::open("/dev/null", O_RDWR);
  while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

Result<pid_t> Spawner::fork_child(const SpawnOptions& options, const Program& program) const {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) != 0) return failure(last_error());
  const Socket reading(ends[0]);
  Socket writing(ends[1]);
  // No handler of ours runs in the child before it has its own: it would find a loop that is not its.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sys::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = sys::fork();
  if (child == 0) {
    const int error = become(options, program);
    (void)!sys::write(writing.fd(), &error, sizeof error);
    ::_exit(127);
  }
  const Error fork_error = child < 0 ? last_error() : Error::none;
  sys::pthread_sigmask(SIG_SETMASK, &before, static_cast<sigset_t*>(nullptr));
  if (child < 0) return failure(fork_error);
  writing.reset();
  const Result<int> error = read_error(reading.fd());
  if (error && *error == 0) return child;
  if (!error) sys::kill(child, SIGKILL);  // nobody knows what became of it
  wait_for_end(child);
  return failure(error ? error_from_errno(*error) : error.error());
}

// Only what may be called where other threads held locks when it was forked.
int Spawner::become(const SpawnOptions& options, const Program& program) const {
  if (options.detached && sys::setsid() < 0) return errno;
  int count = 0;
  for (const auto& [source, target] : places_) {
    count = std::max(count, target + 1);
    const int from = source >= 0 ? source : open_nothing();
    if (from < 0) return errno;
    int result;
    do result = from == target ? sys::fcntl(target, F_SETFD, 0) : sys::dup2(from, target);
    while (result < 0 && errno == EINTR);
    if (result < 0) return errno;
  }
  if (!options.directory.empty() && sys::chdir(options.directory.c_str()) != 0) return errno;
  // The groups first: who has become somebody else may not choose them any more.
  if (sys::setgroups(std::size_t{0}, static_cast<const gid_t*>(nullptr)) != 0 && errno != EPERM) return errno;
  if (options.group && sys::setgid(*options.group) != 0) return errno;
  if (options.user && sys::setuid(*options.user) != 0) return errno;
  if (sys::close_range(static_cast<unsigned>(count), ~0u, CLOSE_RANGE_CLOEXEC) != 0) return errno;
  if (!reset_signals()) return errno;
  sys::execvpe(program.arguments[0], program.arguments.data(), program.environment_pointer());
  return errno;
}

}  // namespace refloop
