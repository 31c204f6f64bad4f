#include "harness/subject/listen.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace tickmark::subject {
namespace {

std::unexpected<Error> cannot(const ListenConfig& config, int error) {
  const char* advice = error == EADDRINUSE      ? "end the process that holds it or choose another --port"
                       : error == EADDRNOTAVAIL ? "give an --address of this machine"
                       : error == EACCES        ? "ports below 1024 need privileges: choose another --port"
                                                : "see 'man 7 ip'";
  return environment_error(fmt::format("cannot listen on {}:{}: {}; {}", config.address, config.port,
                                       std::strerror(error), advice));
}

}  // namespace

Expected<Listener> listen_on(const ListenConfig& config) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(config.port);
  if (inet_pton(AF_INET, config.address.c_str(), &address.sin_addr) != 1) {
    return usage_error(fmt::format("--address '{}' is not an address; expected numeric IPv4 like 127.0.0.1",
                                   config.address));
  }
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (config.nonblocking ? SOCK_NONBLOCK : 0);
  Listener listener{UniqueFd(::socket(AF_INET, type, 0)), 0};
  if (!listener.fd) return cannot(config, errno);
  const int one = 1;
  ::setsockopt(listener.fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  ::setsockopt(listener.fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (config.reuse_port) ::setsockopt(listener.fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener.fd.get(), generic, size) != 0) return cannot(config, errno);
  if (config.backlog > 0 && ::listen(listener.fd.get(), config.backlog) != 0) return cannot(config, errno);
  if (::getsockname(listener.fd.get(), generic, &size) != 0) return cannot(config, errno);
  listener.port = ntohs(address.sin_port);
  return listener;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace tickmark::subject
