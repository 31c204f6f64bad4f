#include "harness/load/lock_step.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace tickmark::load {
namespace {

constexpr size_t kBufferBytes = size_t{64} * 1024;

std::string last_error() {
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    return fmt::format("nothing came within {:.0f} s", seconds(LockStep::kSilenceMax));
  return std::strerror(errno);
}

timeval silence() { return {.tv_sec = LockStep::kSilenceMax / 1s, .tv_usec = 0}; }

}  // namespace

LockStep::LockStep(UniqueFd fd, const Client& client)
    : fd_(std::move(fd)), protocol_(make_protocol(client, 1)), buffer_(kBufferBytes) {}

Expected<LockStep> LockStep::connect(const std::string& address, uint16_t port, const Client& client) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(port);
  if (!fd || ::inet_pton(AF_INET, address.c_str(), &target.sin_addr) != 1) {
    return environment_error(
        fmt::format("cannot make a socket for {}:{}; expected a numeric IPv4 address and a free "
                    "descriptor",
                    address, port));
  }
  const int on = 1;
  const timeval limit = silence();
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0)
    return subject_error(fmt::format("accepts no connection at {}:{}: {}", address, port, last_error()));
  return LockStep(std::move(fd), client);
}

Expected<void> LockStep::ask(uint64_t count, const std::function<bool()>& may_ask) {
  for (uint64_t i = 0; i < count; ++i) {
    if (may_ask && !may_ask()) return {};
    if (auto ok = ask_one(); !ok) return ok;
  }
  return {};
}

void LockStep::ask_until_closed(Nanos patience) {
  pollfd watched{fd_.get(), POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(patience / 1ms)) != 0) return;
  while (ask_one()) continue;
}

Expected<void> LockStep::ask_one() {
  if (auto sent = send_all(protocol_->bytes(answered_)); !sent) return sent;
  if (auto read = read_reply(); !read) return read;
  ++answered_;
  return {};
}

Expected<void> LockStep::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return subject_error(fmt::format("took no request {}: {}", answered_, last_error()));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Expected<void> LockStep::read_reply() {
  while (true) {
    const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0)
      return subject_error(fmt::format("closed the connection instead of answering request {}", answered_));
    if (n < 0) return subject_error(fmt::format("did not answer request {}: {}", answered_, last_error()));
    const std::string_view bytes(buffer_.data(), static_cast<size_t>(n));
    const Protocol::Step step = protocol_->verify(0, answered_, bytes);
    if (step.outcome == Protocol::Outcome::kMore) continue;
    if (step.outcome != Protocol::Outcome::kCorrect)
      return subject_error(fmt::format("answered wrongly: {}", protocol_->fault(0, answered_)));
    if (step.consumed < bytes.size()) {
      return subject_error(
          fmt::format("sent {} bytes more than the reply to request {}, which nothing had asked for",
                      bytes.size() - step.consumed, answered_));
    }
    return {};
  }
}

}  // namespace tickmark::load
