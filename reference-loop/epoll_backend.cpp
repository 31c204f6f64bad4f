// Registration and waiting: from descriptors to FdWatch callbacks.
#include "reference-loop/epoll_backend.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>

#include "reference-loop/loop.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

std::uint64_t event_key(int fd, std::uint32_t generation) {
  return static_cast<std::uint64_t>(generation) << 32 | static_cast<std::uint32_t>(fd);
}

}  // namespace

std::unique_ptr<Backend> make_epoll_backend(Loop& loop, Error& error) {
  Socket epoll(sys::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    error = last_error();
    return nullptr;
  }
  return std::make_unique<EpollBackend>(loop, std::move(epoll));
}

Result<void> EpollBackend::watch(FdWatch& watch, int fd, std::uint32_t events) {
  return set_interest(watch, fd, events);
}

void EpollBackend::unwatch(FdWatch& watch) {
  if (watch.fd >= 0) (void)set_interest(watch, watch.fd, 0);
}

// Zero events takes the descriptor out: a watched descriptor reports hang-ups even without interest.
Result<void> EpollBackend::set_interest(FdWatch& watch, int fd, std::uint32_t events) {
  if (fd < 0) return failure(error_from_errno(EBADF));
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  Slot& slot = slots_[index];
  if (events == 0) {
    if (watch.fd < 0) return {};
    sys::epoll_ctl(epoll_.fd(), EPOLL_CTL_DEL, fd, nullptr);
    slot.watch = nullptr;
    ++slot.generation;
    watch.fd = -1;
    watch.interest = 0;
    return {};
  }
  epoll_event event{.events = events, .data = {.u64 = event_key(fd, slot.generation)}};
  if (sys::epoll_ctl(epoll_.fd(), watch.fd < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0) {
    return failure(last_error());
  }
  slot.watch = &watch;
  watch.fd = fd;
  watch.interest = events;
  return {};
}

void EpollBackend::poll(Nanos timeout) {
  for (int batch = 0; batch < kPollBatchesMax; ++batch) {
    const int count = wait(timeout);
    dispatch(count);
    if (count < kPollBatchEvents) return;
    timeout = Nanos{0};
  }
}

// Survives signals: waits on for what is left of the timeout. Refreshes the loop's time.
int EpollBackend::wait(Nanos timeout) {
  const Nanos deadline = timeout > Nanos{0} ? loop_.now() + timeout : loop_.now();
  while (true) {
    const int count = wait_once(timeout);
    const int error = errno;
    loop_.update_time();
    if (count >= 0) return count;
    assert(error == EINTR && "epoll can fail otherwise only by a bug here");
    if (timeout < Nanos{0}) continue;
    timeout = std::max(deadline - loop_.now(), Nanos{0});
  }
}

// Nanoseconds only where they matter: the older call is cheaper, and a timer must not be late by the
// millisecond that rounding up would cost. It costs that where the newer call is unknown: to a kernel before
// 5.11 (ENOSYS), or to a sandbox that is older than the call (EPERM).
int EpollBackend::wait_once(Nanos timeout) {
  constexpr Nanos kMillisecond = std::chrono::milliseconds(1);
  int timeout_ms = timeout < Nanos{0} ? -1 : 0;
  if (timeout > Nanos{0}) {
    if (has_pwait2_) {
      const timespec limit{.tv_sec = timeout.count() / 1'000'000'000,
                           .tv_nsec = timeout.count() % 1'000'000'000};
      const int count = sys::epoll_pwait2(epoll_.fd(), events_.data(), kPollBatchEvents, &limit, nullptr);
      if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
      has_pwait2_ = false;
    }
    timeout_ms = static_cast<int>(std::min<std::int64_t>((timeout - Nanos{1}) / kMillisecond + 1, INT_MAX));
  }
  return sys::epoll_wait(epoll_.fd(), events_.data(), kPollBatchEvents, timeout_ms);
}

void EpollBackend::dispatch(int count) {
  const bool some_run_last = deliver(count, false);
  if (some_run_last) deliver(count, true);
}

// Delivers the events of watches that run last, or of all the others; true if it left some out.
bool EpollBackend::deliver(int count, bool last) {
  bool left_out = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event event = events_[static_cast<std::size_t>(i)];
    const Slot& slot = slots_[static_cast<std::uint32_t>(event.data.u64)];
    if (!slot.watch || slot.generation != event.data.u64 >> 32) continue;  // closed earlier in this batch
    if (slot.watch->runs_last != last)
      left_out = true;
    else
      slot.watch->on_ready(*slot.watch, event.events);
  }
  return left_out;
}

}  // namespace refloop
