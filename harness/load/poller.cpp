#include "harness/load/poller.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sched.h>
#include <sys/prctl.h>
#include <utility>

namespace tickmark::load {
namespace {

constexpr size_t kEventsMax = 256;
// A little more than the median wake-up delay of a sleeping thread on a virtual machine.
constexpr Nanos kSpinBefore = 120us;

}  // namespace

Expected<Poller> Poller::make(Spin spin) {
  Poller out;
  out.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!out.epoll_)
    return environment_error(fmt::format("cannot make an epoll instance: {}", std::strerror(errno)));
  out.spin_ = spin;
  out.events_.resize(kEventsMax);
  return out;
}

int Poller::add(int fd, uint64_t key) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = key}};
  ++syscalls_;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int Poller::wait_once(Nanos timeout) {
  timespec ts{.tv_sec = timeout.count() / 1'000'000'000, .tv_nsec = timeout.count() % 1'000'000'000};
  ++syscalls_;
  int n = ::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()), &ts, nullptr);
  return n < 0 ? 0 : n;  // EINTR: nothing is ready yet
}

std::span<const epoll_event> Poller::wait(Nanos until) {
  Nanos left = std::max(until - now(), Nanos{0});
  if (spin_ == Spin::kNever || left == Nanos{0})
    return {events_.data(), static_cast<size_t>(wait_once(left))};
  if (spin_ == Spin::kBeforeDeadlines && left > kSpinBefore) {
    int n = wait_once(left - kSpinBefore);
    if (n > 0) return {events_.data(), static_cast<size_t>(n)};
  }
  Nanos begin = thread_cpu_time();
  int n = 0;
  while (n == 0 && now() < until) n = wait_once(Nanos{0});
  spun_ += thread_cpu_time() - begin;
  return {events_.data(), static_cast<size_t>(n)};
}

Nanos thread_cpu_time() {
  timespec ts;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return Nanos{static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

Expected<ThreadSetting> ThreadSetting::make(int cpu, bool realtime) {
  ThreadSetting out;
  out.active_ = true;
  out.slack_ns_ = ::prctl(PR_GET_TIMERSLACK);
  ::prctl(PR_SET_TIMERSLACK, 1);
  sched_param priority{};
  priority.sched_priority = 1;
  out.realtime_ = realtime && ::sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
  if (cpu < 0) return out;
  out.affinity_.resize(sizeof(cpu_set_t));
  out.pinned_ =
      ::sched_getaffinity(0, sizeof(cpu_set_t), reinterpret_cast<cpu_set_t*>(out.affinity_.data())) == 0;
  cpu_set_t one;
  CPU_ZERO(&one);
  if (cpu < CPU_SETSIZE) CPU_SET(static_cast<size_t>(cpu), &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) {
    return environment_error(
        fmt::format("cannot pin the load generator to cpu {}: {}; choose a cpu this process may "
                    "use (taskset -p $$ shows them)",
                    cpu, std::strerror(errno)));
  }
  return out;
}

ThreadSetting::ThreadSetting(ThreadSetting&& other) noexcept
    : active_(std::exchange(other.active_, false)),
      pinned_(other.pinned_),
      realtime_(other.realtime_),
      slack_ns_(other.slack_ns_),
      affinity_(std::move(other.affinity_)) {}

ThreadSetting::~ThreadSetting() {
  if (!active_) return;
  if (slack_ns_ > 0) ::prctl(PR_SET_TIMERSLACK, slack_ns_);
  const sched_param normal{};
  if (realtime_) ::sched_setscheduler(0, SCHED_OTHER, &normal);
  if (pinned_) ::sched_setaffinity(0, affinity_.size(), reinterpret_cast<const cpu_set_t*>(affinity_.data()));
}

}  // namespace tickmark::load
