// A TCP connection: a Stream with the options that only TCP has.
#pragma once

#include "reference-loop/stream.h"

namespace refloop {

class Tcp : public Stream {
 public:
  using Stream::Stream;

  // Off: small segments wait for the acknowledgement of earlier ones (Nagle). Error::not_connected without
  // a socket; sockets of a Listener inherit its option.
  Result<void> set_nodelay(bool on);
};

}  // namespace refloop
