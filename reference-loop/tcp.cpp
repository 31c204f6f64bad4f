#include "reference-loop/tcp.h"

#include <netinet/tcp.h>

#include "reference-loop/sys.h"

namespace refloop {

Result<void> Tcp::bind(const Address& local) {
  if (is_closing() || fd() >= 0 || bound_) return failure(Error::bad_state);
  Socket socket(sys::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failure(last_error());
  const int on = 1;
  if (sys::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, socklen_t{sizeof(on)}) != 0 ||
      sys::bind(socket.fd(), local.raw(), local.size()) != 0)
    return failure(last_error());
  bound_ = std::move(socket);
  return {};
}

Result<void> Tcp::connect(const Address& peer, ConnectCallback callback) {
  if (bound_) return connect_socket(std::move(bound_), peer, callback);
  return Stream::connect(peer, callback);
}

Result<void> Tcp::set_nodelay(bool on) { return set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }

Result<void> Tcp::set_keepalive(std::optional<std::chrono::seconds> idle) {
  if (!idle) return set_option(SOL_SOCKET, SO_KEEPALIVE, 0);
  if (auto timed = set_option(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle->count())); !timed)
    return timed;
  return set_option(SOL_SOCKET, SO_KEEPALIVE, 1);
}

Result<void> Tcp::close_reset(CloseCallback callback) {
  if (is_closing() || is_shutting_down()) return failure(Error::bad_state);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (fd() >= 0 && sys::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, socklen_t{sizeof(at_once)}) != 0)
    return failure(last_error());
  close(callback);
  return {};
}

Result<void> Tcp::set_option(int level, int name, int value) {
  if (fd() < 0) return failure(Error::not_connected);
  if (sys::setsockopt(fd(), level, name, &value, socklen_t{sizeof(value)}) != 0) return failure(last_error());
  return {};
}

}  // namespace refloop
