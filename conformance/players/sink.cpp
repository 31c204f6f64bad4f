// Peers a scenario needs but must not see: a server that swallows everything, and a port that refuses.
#include <arpa/inet.h>
#include <cassert>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "conformance/players/player.h"

namespace tickmark::conformance {

namespace {

int bound_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  [[maybe_unused]] const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  assert(fd >= 0 && bound == 0);
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void swallow(int listener) {
  std::vector<pollfd> watched{{listener, POLLIN, 0}};
  std::vector<char> buffer(64 * 1024);
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    for (size_t i = watched.size(); i-- > 1;) {
      if (watched[i].revents == 0) continue;
      if (read(watched[i].fd, buffer.data(), buffer.size()) > 0) continue;
      close(watched[i].fd);
      watched.erase(watched.begin() + static_cast<long>(i));
    }
    if ((watched[0].revents & POLLIN) == 0) continue;
    const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) watched.push_back({connection, POLLIN, 0});
  }
}

}  // namespace

uint16_t sink_port() {
  static const uint16_t port = [] {
    const int fd = bound_socket();
    listen(fd, 1024);
    std::thread(swallow, fd).detach();
    return port_of(fd);
  }();
  return port;
}

uint16_t refusing_port() {
  static const int fd = bound_socket();
  return port_of(fd);
}

}  // namespace tickmark::conformance
