// Readiness of a descriptor the loop does not own: stdin, a socket of another library.
//
// Level-triggered: reports again, once per iteration, while the condition holds.
#pragma once

#include <cstdint>
#include <sys/epoll.h>

#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Poll : public Handle {
 public:
  using Callback = void (*)(Poll&, std::uint32_t events);  // EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR

  Poll(Loop& loop, int fd) : Handle(loop, Kind::fd_ready), fd_(fd) { watch_.poll = this; }
  ~Poll() override = default;

  // Starts, or changes what is waited for. Regular files cannot be polled: an error from the kernel (EPERM).
  Result<void> start(std::uint32_t events, Callback callback);
  void stop();
  int fd() const { return fd_; }

 private:
  struct Watch : FdWatch {
    Poll* poll = nullptr;
  };

  void begin_close() override { stop(); }

  const int fd_;
  Watch watch_;
  Callback callback_ = nullptr;
};

}  // namespace refloop
