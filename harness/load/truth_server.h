#pragma once
// Small servers with known faults, for the tests of the generator: one thread, poll, a handler that decides
// what is answered. A handler that sleeps freezes the whole server, as a stopped process would.

#include <arpa/inet.h>
#include <atomic>
#include <cassert>
#include <functional>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "harness/base/unique_fd.h"

namespace tickmark::load {

/// Binds 127.0.0.1:0. Without a handler nothing is ever accepted.
class TruthServer {
 public:
  struct Reply {
    std::string bytes;
    bool close = false;    // after the bytes
    bool trickle = false;  // one byte per packet
  };
  /// Called in the server's thread with what `connection` (numbered by accept) has just sent.
  using Handler = std::function<Reply(int connection, std::string_view bytes)>;

  explicit TruthServer(Handler handler, int backlog = 512) : handler_(std::move(handler)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    [[maybe_unused]] int bound = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    assert(bound == 0);
    ::listen(listener_.get(), backlog);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (handler_) thread_ = std::thread([this] { serve(); });
  }
  ~TruthServer() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  void serve() {
    std::vector<pollfd> fds{{listener_.get(), POLLIN, 0}};
    std::vector<UniqueFd> connections;
    std::vector<char> buffer(256 * 1024);
    while (!stop_) {
      if (::poll(fds.data(), fds.size(), 10) <= 0) continue;
      for (size_t i = 1; i < fds.size(); ++i) {
        if (fds[i].fd < 0 || fds[i].revents == 0) continue;
        ssize_t n = ::recv(fds[i].fd, buffer.data(), buffer.size(), 0);
        bool keep =
            n > 0 && answer(static_cast<int>(i - 1), fds[i].fd, {buffer.data(), static_cast<size_t>(n)});
        if (!keep) {
          connections[i - 1].reset();
          fds[i].fd = -1;
        }
      }
      if (fds[0].revents & POLLIN) {
        UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) continue;
        int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fds.push_back({fd.get(), POLLIN, 0});
        connections.push_back(std::move(fd));
        ++accepted_;
      }
    }
  }

  bool answer(int connection, int fd, std::string_view bytes) {
    Reply reply = handler_(connection, bytes);
    size_t piece = reply.trickle ? 1 : reply.bytes.size();
    for (size_t at = 0; at < reply.bytes.size();) {
      ssize_t n = ::send(fd, reply.bytes.data() + at, std::min(piece, reply.bytes.size() - at), MSG_NOSIGNAL);
      if (n <= 0) return false;
      at += static_cast<size_t>(n);
    }
    return !reply.close;
  }

  Handler handler_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

}  // namespace tickmark::load
