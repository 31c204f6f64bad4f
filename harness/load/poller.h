#pragma once
// The generator's one waiting place: epoll with nanosecond time-outs, and, if asked, spinning, because a
// sleeping thread wakes 40 to 110 us late (METHOD.md, T6).

#include <cstdint>
#include <span>
#include <sys/epoll.h>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"
#include "harness/load/spin.h"

namespace tickmark::load {

class Poller {
 public:
  static Expected<Poller> make(Spin spin);

  /// Edge-triggered for reading and writing, once and for all: no further call per request. Returns errno.
  int add(int fd, uint64_t key);
  /// Returns when something is ready or `until` has come; whatever was ready. `until` in the past only looks.
  std::span<const epoll_event> wait(Nanos until);

  uint64_t syscalls() const { return syscalls_; }
  void count_syscall() { ++syscalls_; }
  Nanos spun() const { return spun_; }  ///< CPU time spent looking in vain

 private:
  Poller() = default;
  int wait_once(Nanos timeout);

  UniqueFd epoll_;
  Spin spin_ = Spin::kNever;
  uint64_t syscalls_ = 0;
  Nanos spun_{0};
  std::vector<epoll_event> events_;
};

/// CLOCK_THREAD_CPUTIME_ID of the calling thread.
Nanos thread_cpu_time();

/// Pins the calling thread to `cpu` (-1: leaves it), asks for exact timers and, if `realtime`, for SCHED_FIFO
/// (which may be refused: see realtime()), until destroyed.
class ThreadSetting {
 public:
  static Expected<ThreadSetting> make(int cpu, bool realtime);
  bool realtime() const { return realtime_; }
  ThreadSetting(ThreadSetting&&) noexcept;
  ThreadSetting& operator=(ThreadSetting&&) = delete;
  ~ThreadSetting();

 private:
  ThreadSetting() = default;
  bool active_ = false;
  bool pinned_ = false;
  bool realtime_ = false;
  int slack_ns_ = 0;
  std::vector<unsigned char> affinity_;
};

}  // namespace tickmark::load
