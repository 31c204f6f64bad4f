// The stream verbs for a backend that can tell when a descriptor is ready: level-triggered, one receive per
// readable stream per batch, sends at once and waits only for what did not fit.
//
// The epoll backend is this and a poll(). Others fall back on it for what has no completion of its own
// there: streams that are no plain socket (Stream::transport_).
#pragma once

#include <cstdint>

#include "reference-loop/backend.h"

namespace refloop {

class ReadinessBackend : public Backend {
 public:
  Result<void> connect(Stream& stream, const Address& peer) override;
  Result<void> read_start(Stream& stream) override;
  void read_stop(Stream& stream) override;
  void write(Stream& stream) override;
  Result<std::size_t> try_write(Stream& stream, std::span<iovec> buffers) override;
  Result<void> send(Stream& stream, std::span<const std::byte> first,
                    std::span<const std::byte> second) override;
  Result<void> shutdown(Stream& stream) override;
  void close(Stream& stream) override;

  Result<void> listen(Listener& listener) override;
  void close(Listener& listener) override;

 protected:
  explicit ReadinessBackend(Loop& loop) : loop_(loop) {}

  Loop& loop_;

 private:
  Result<void> watch_stream(Stream& stream, std::uint32_t events);
  void stream_ready(Stream& stream, std::uint32_t events);
  void drop_unwanted_interest(Stream& stream, std::uint32_t events);
  void receive(Stream& stream);
  void finish_connect(Stream& stream);
  void accept_some(Listener& listener);
};

}  // namespace refloop
