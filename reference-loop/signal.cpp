#include "reference-loop/signal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "reference-loop/sys.h"

namespace refloop {
namespace {

sigset_t set_of(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

}  // namespace

Result<void> Signal::start(int number, Callback callback) {
  if (is_closing() || is_active() || !callback) return failure(Error::bad_state);
  const sigset_t set = set_of(number);
  Socket descriptor(sys::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!descriptor) return failure(last_error());
  watch_.on_ready = [](FdWatch& watch, std::uint32_t) { static_cast<Watch&>(watch).signal->dispatch(); };
  if (auto watched = loop_.backend_->watch(watch_, descriptor.fd(), EPOLLIN); !watched) return watched;
  sys::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  descriptor_ = std::move(descriptor);
  callback_ = callback;
  number_ = number;
  activate();
  loop_.trace_schedule(kind_, tag_);
  return {};
}

void Signal::stop() {
  if (!is_active()) return;
  loop_.backend_->unwatch(watch_);
  descriptor_.reset();
  const sigset_t set = set_of(number_);
  sys::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  deactivate();
}

void Signal::dispatch() {
  signalfd_siginfo info;
  while (is_active() && sys::read(descriptor_.fd(), &info, sizeof(info)) == sizeof(info)) {
    loop_.invoke(kind_, tag_, [&] { callback_(*this, static_cast<int>(info.ssi_signo)); });
  }
}

}  // namespace refloop
