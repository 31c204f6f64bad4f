#include "reference-loop/process.h"

#include <system_error>
#include <thread>

#include "reference-loop/spawner.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// Whatever signal interrupts it.
bool wait_for(idtype_t kind, int id, siginfo_t& info, int options) {
  int result;
  do result = sys::waitid(kind, static_cast<id_t>(id), &info, options);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace

bool take_exit_status(int pidfd, ExitStatus& status) {
  siginfo_t info{};
  if (!wait_for(P_PIDFD, pidfd, info, WEXITED | WNOHANG)) {
    status.lost = true;
    return true;
  }
  if (info.si_pid == 0) return false;
  const bool exited = info.si_code == CLD_EXITED;
  (exited ? status.code : status.signal) = info.si_status;
  status.core = info.si_code == CLD_DUMPED;
  return true;
}

namespace {

// The loop may be gone before the child is, so somebody else waits. Without a thread the zombie stays until
// this process ends: nobody is left to tell.
void abandon(Socket pidfd) {
  ExitStatus status;
  if (take_exit_status(pidfd.fd(), status)) return;
  try {
    std::thread([fd = std::move(pidfd)] {
      sigset_t all;
      sigfillset(&all);
      sys::pthread_sigmask(SIG_SETMASK, &all, nullptr);
      siginfo_t info;
      (void)wait_for(P_PIDFD, fd.fd(), info, WEXITED);
    }).detach();
  } catch (const std::system_error&) {
  }
}

}  // namespace

Result<void> Process::spawn(const SpawnOptions& options, ExitCallback callback) {
  if (is_closing() || pid_ >= 0 || !callback) return failure(Error::bad_state);
  Spawner spawner;
  const Result<pid_t> child = spawner.spawn(options);
  if (!child) return failure(child.error());
  pid_ = *child;
  on_exit_ = callback;
  if (auto followed = follow(); !followed) {
    // A child that nobody could hear of is none.
    sys::kill(pid_, SIGKILL);
    siginfo_t info;
    (void)wait_for(P_PID, pid_, info, WEXITED);
    pidfd_.reset();
    pid_ = -1;
    return followed;
  }
  spawner.open_pipes();
  activate();
  loop_.trace_schedule(kind_, tag_);
  return {};
}

// Not too late after the spawn: a child that has exited stays a zombie, and keeps its number, until its
// parent waits for it.
Result<void> Process::follow() {
  pidfd_.reset(sys::pidfd_open(pid_, 0u));
  if (!pidfd_) return failure(last_error());
  watch_.runs_last = true;
  watch_.on_ready = [](FdWatch& watch, std::uint32_t) { static_cast<Watch&>(watch).process->exited(); };
  return loop_.backend_->watch(watch_, pidfd_.fd(), EPOLLIN);
}

void Process::exited() {
  ExitStatus status;
  if (!take_exit_status(pidfd_.fd(), status)) return;
  loop_.backend_->unwatch(watch_);
  pidfd_.reset();
  deactivate();
  if (is_mutant(Mutant::exit_status_lost)) status = {};
  loop_.invoke(kind_, tag_, [&] { on_exit_(*this, status); });
  if (is_mutant(Mutant::exit_twice) && !is_closing())
    loop_.invoke(kind_, tag_, [&] { on_exit_(*this, status); });
}

Result<void> Process::kill(int signal) {
  if (!pidfd_) return failure(Error::no_process);
  if (sys::pidfd_send_signal(pidfd_.fd(), signal, nullptr, 0u) != 0) return failure(last_error());
  return {};
}

void Process::begin_close() {
  if (!pidfd_) return;
  loop_.backend_->unwatch(watch_);
  abandon(std::move(pidfd_));
}

}  // namespace refloop
