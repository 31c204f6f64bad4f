// The epoll backend: level-triggered, one recv per readable socket per batch, sends at once.
#pragma once

#include <array>
#include <cstdint>
#include <sys/epoll.h>
#include <vector>

#include "reference-loop/backend.h"
#include "reference-loop/limits.h"
#include "reference-loop/socket.h"

namespace refloop {

class EpollBackend final : public Backend {
 public:
  EpollBackend(Loop& loop, Socket epoll) : loop_(loop), epoll_(std::move(epoll)) {}

  void poll(Nanos timeout) override;
  Result<void> watch(FdWatch& watch, int fd, std::uint32_t events) override;
  void unwatch(FdWatch& watch) override;

  Result<void> connect(Stream& stream, const Address& peer) override;
  Result<void> read_start(Stream& stream) override;
  void read_stop(Stream& stream) override;
  void write(Stream& stream) override;
  Result<std::size_t> try_write(Stream& stream, std::span<iovec> buffers) override;
  Result<void> shutdown(Stream& stream) override;
  void close(Stream& stream) override;

  Result<void> listen(Listener& listener) override;
  void close(Listener& listener) override;

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
  Result<void> watch_stream(Stream& stream, std::uint32_t events);
  void stream_ready(Stream& stream, std::uint32_t events);
  void drop_unwanted_interest(Stream& stream, std::uint32_t events);
  void receive(Stream& stream);
  void finish_connect(Stream& stream);
  void accept_some(Listener& listener);

  Loop& loop_;
  Socket epoll_;
  std::vector<Slot> slots_;  // by descriptor
  bool has_pwait2_ = true;
  std::array<epoll_event, kPollBatchEvents> events_;
};

}  // namespace refloop
