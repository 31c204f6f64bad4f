// A TCP connection: a Stream with the options that only TCP has.
//
// Half-open: after the peer's end (on_end with Error::none) this side may go on sending; after shutdown() it
// may go on receiving. Neither side's shutdown closes anything: close() does. There is no connect timeout
// here: the kernel gives up after net.ipv4.tcp_syn_retries (about two minutes); who wants less starts a Timer
// and closes the stream, which ends the connect with Error::canceled.
#pragma once

#include <chrono>
#include <optional>

#include "reference-loop/stream.h"

namespace refloop {

class Tcp : public Stream {
 public:
  using Stream::Stream;

  // The local end of a connect() to come, which must be of the same family. Error::bad_state the second time,
  // with a peer or once closing; otherwise what the kernel said (EADDRNOTAVAIL, Error::address_in_use).
  Result<void> bind(const Address& local);
  // As Stream's, from the bound address if there is one.
  Result<void> connect(const Address& peer, ConnectCallback callback);

  // Off: small segments wait for the acknowledgement of earlier ones (Nagle). Error::not_connected without
  // a socket, as for all options; sockets of a Listener inherit its option.
  Result<void> set_nodelay(bool on);
  // Probes a peer that has been silent for `idle` (whole seconds, at least one); how often and how long
  // without an answer is the system's setting (net.ipv4.tcp_keepalive_*), then the stream ends with
  // ETIMEDOUT. Absent: off, the default.
  Result<void> set_keepalive(std::optional<std::chrono::seconds> idle);

  // Closes by a reset: the peer learns at once (ECONNRESET), what the kernel has not sent is dropped, no
  // TIME_WAIT stays here. close() lets the kernel send that in the background; to linger, that is to wait for
  // it, would block the loop, so it is not offered. Error::bad_state after shutdown(), which promised the
  // peer an orderly end: nothing is closed then.
  Result<void> close_reset(CloseCallback callback = nullptr);

  Result<Address> local_address() const { return Address::local_of(fd()); }
  Result<Address> peer_address() const { return Address::peer_of(fd()); }

 private:
  Result<void> set_option(int level, int name, int value);

  Socket bound_;  // between bind() and connect()
};

}  // namespace refloop
