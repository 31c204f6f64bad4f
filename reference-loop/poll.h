// Readiness of a descriptor the loop does not own: stdin, a socket of another library.
//
// Level-triggered: reports again, once per iteration, while the condition holds. What a callback of the same
// batch stopped, closed or is no longer waited for is not reported.
//
// The descriptor stays open until stop() or close(), and nobody else in this loop waits on it: a second Poll,
// or a stream that reads or waits to write, is refused with EEXIST, whoever comes second.
#pragma once

#include <cstdint>
#include <sys/epoll.h>

#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Poll : public Handle {
 public:
  // EPOLLIN readable, EPOLLOUT writable, EPOLLRDHUP the peer will send no more, EPOLLPRI urgent data (see
  // poll(2)); EPOLLERR and EPOLLHUP are reported without being asked for. Of what holds, all at once.
  using Callback = void (*)(Poll&, std::uint32_t events);

  Poll(Loop& loop, int fd) : Handle(loop, Kind::fd_ready), fd_(fd) { watch_.poll = this; }
  ~Poll() override = default;

  // Starts, or changes what is waited for and who is called. Regular files cannot be polled: an error from
  // the kernel (EPERM). Error::bad_state without events or callback, or once closing.
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
