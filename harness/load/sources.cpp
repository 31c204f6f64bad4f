#include "harness/load/sources.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

namespace tickmark::load {
namespace {

constexpr int kConnectionsPerSource = 20'000;
constexpr int kOtherDescriptors = 256;
constexpr uint32_t kFirstHost = 2, kHosts = 250;  // 127.0.0.2 .. 127.0.0.251

}  // namespace

Expected<Sources> Sources::make(const std::string& address, uint16_t port, int connections,
                                uint64_t rotation) {
  Sources out;
  out.target_.sin_family = AF_INET;
  out.target_.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &out.target_.sin_addr) != 1 || port == 0) {
    return usage_error(fmt::format(
        "'{}' port {} is no target: give a numeric IPv4 address and a port from 1 to 65535", address, port));
  }
  if ((ntohl(out.target_.sin_addr.s_addr) >> 24) != 127) return out;
  int count = (connections + kConnectionsPerSource - 1) / kConnectionsPerSource + 1;
  for (int i = 0; i < count; ++i) {
    uint32_t host =
        kFirstHost +
        static_cast<uint32_t>((rotation * static_cast<uint64_t>(count) + static_cast<uint64_t>(i)) % kHosts);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl((127u << 24) | host);
    out.sources_.push_back(source);
  }
  return out;
}

Expected<UniqueFd> Sources::open_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return environment_error(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!sources_.empty()) {
    const sockaddr_in& source = sources_[next_++ % sources_.size()];
    ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
      char text[INET_ADDRSTRLEN] = "";
      inet_ntop(AF_INET, &source.sin_addr, text, sizeof text);
      return environment_error(
          fmt::format("cannot bind a connection to source address {}: {}", text, std::strerror(errno)));
    }
  }
  return fd;
}

Expected<void> ensure_descriptors(int connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  rlim_t need = static_cast<rlim_t>(connections) + kOtherDescriptors;
  if (limit.rlim_max != RLIM_INFINITY && need > limit.rlim_max) {
    return environment_error(fmt::format(
        "{} connections need {} file descriptors but the hard limit is {}: raise it (ulimit -Hn, or "
        "LimitNOFILE in limits.conf) or ask for fewer connections",
        connections, need, limit.rlim_max));
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= limit.rlim_max) return {};
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return environment_error(
        fmt::format("cannot raise the limit of open files to {}: {}", limit.rlim_max, std::strerror(errno)));
  }
  return {};
}

void close_hard(UniqueFd& fd) {
  linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  fd.reset();
}

}  // namespace tickmark::load
