#include "harness/subject/stop_watcher.h"

#include <cassert>
#include <cerrno>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

namespace tickmark::subject {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// True once `fd` has ended; throws away what it still says.
bool ended(int fd) {
  char scratch[256];
  const ssize_t got = ::read(fd, scratch, sizeof scratch);
  return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

StopWatcher::StopWatcher(int fd, bool signals, std::function<void()> on_stop,
                         std::function<void()> on_overdue)
    : cancel_(::eventfd(0, EFD_CLOEXEC)), on_stop_(std::move(on_stop)), on_overdue_(std::move(on_overdue)) {
  assert(cancel_);
  if (signals) {
    const sigset_t set = stop_signals();
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
    assert(signals_);
  }
  thread_ = std::thread([this, fd] {
    if (!wait_for_stop(fd)) return;
    on_stop_();
    if (on_overdue_ && !wait_for_destruction(now() + kGrace)) on_overdue_();
  });
}

StopWatcher::~StopWatcher() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(cancel_.get(), &one, sizeof one);
  thread_.join();
}

bool StopWatcher::wait_for_stop(int fd) {
  while (true) {
    pollfd watched[] = {{cancel_.get(), POLLIN, 0}, {fd, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    if (::poll(watched, 3, -1) < 0) continue;  // EINTR: nothing else can happen with valid descriptors
    if (watched[0].revents) return false;
    if (watched[2].revents) return true;
    if (watched[1].revents && ((watched[1].revents & POLLNVAL) || ended(fd))) return true;
  }
}

bool StopWatcher::wait_for_destruction(Nanos deadline) {
  while (true) {
    const Nanos left = deadline - now();
    if (left <= 0ns) return false;
    pollfd watched{cancel_.get(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(left / 1ms) + 1) > 0) return true;
  }
}

}  // namespace tickmark::subject
