#include "reference-loop/tcp.h"

#include <netinet/tcp.h>

#include "reference-loop/sys.h"

namespace refloop {

Result<void> Tcp::set_nodelay(bool on) {
  if (fd() < 0) return failure(Error::not_connected);
  const int value = on ? 1 : 0;
  if (sys::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value)) != 0)
    return failure(last_error());
  return {};
}

}  // namespace refloop
