// The epoll backend: descriptors and their readiness; what streams make of it is readiness_backend.h.
#pragma once

#include <array>
#include <cstdint>
#include <sys/epoll.h>
#include <vector>

#include "reference-loop/limits.h"
#include "reference-loop/readiness_backend.h"
#include "reference-loop/socket.h"

namespace refloop {

class EpollBackend final : public ReadinessBackend {
 public:
  EpollBackend(Loop& loop, Socket epoll) : ReadinessBackend(loop), epoll_(std::move(epoll)) {}

  void poll(Nanos timeout) override;
  Result<void> watch(FdWatch& watch, int fd, std::uint32_t events) override;
  void unwatch(FdWatch& watch) override;

 private:
  // Who hears of a descriptor. The kernel's event names descriptor and generation, so that an event
  // that was already fetched when its handle was closed finds nobody, in constant time.
  struct Slot {
    FdWatch* watch = nullptr;
    std::uint32_t generation = 0;
  };

  int wait(Nanos timeout);
  int wait_once(Nanos timeout);
  void dispatch(int count);
  bool deliver(int count, bool last);
  Result<void> set_interest(FdWatch& watch, int fd, std::uint32_t events);

  Socket epoll_;
  std::vector<Slot> slots_;  // by descriptor
  bool has_pwait2_ = true;
  std::array<epoll_event, kPollBatchEvents> events_;
};

}  // namespace refloop
