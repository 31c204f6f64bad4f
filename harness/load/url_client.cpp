#include "harness/load/url_client.h"

#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

#include "harness/load/response_reader.h"
#include "harness/load/sources.h"

namespace tickmark::load {
namespace {

/// Waits until the socket is ready for `events`; false when `deadline` came first.
bool ready(int fd, short events, Nanos deadline) {
  for (;;) {
    Nanos left = deadline - now();
    if (left <= Nanos{0}) return false;
    pollfd p{.fd = fd, .events = events, .revents = 0};
    int n = ::poll(&p, 1, static_cast<int>(left / 1ms) + 1);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

/// "" once all of `bytes` have been sent on a connecting socket, else why not.
std::string send_all(int fd, std::string_view bytes, Nanos deadline) {
  while (!bytes.empty()) {
    if (!ready(fd, POLLOUT, deadline)) return "took no request in time";
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return std::strerror(errno);
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return "";
}

/// "" once a whole reply has been read, else why not.
std::string read_reply(int fd, ResponseReader& reader, std::string& body, Nanos deadline) {
  std::vector<char> buffer(size_t{64} * 1024);
  ExpectedReply any;
  any.collect = &body;
  for (;;) {
    if (!ready(fd, POLLIN, deadline)) return "sent no complete reply in time";
    ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return std::strerror(errno);
    if (n == 0) return "closed the connection before its reply was complete";
    auto step = reader.feed({buffer.data(), static_cast<size_t>(n)}, any);
    if (step.outcome == ResponseReader::Outcome::kBroken) return "is no HTTP/1.1 server: " + reader.fault();
    if (step.outcome == ResponseReader::Outcome::kCorrect) return "";
  }
}

}  // namespace

UrlClient::UrlClient(std::string_view host, std::string_view target)
    : request_(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, host)) {}

Expected<void> UrlClient::learn(const std::string& address, uint16_t port, Nanos timeout) {
  Expected<Sources> sources = Sources::make(address, port, 1, 0);
  if (!sources) return std::unexpected(sources.error());
  Expected<UniqueFd> fd = sources->open_socket();
  if (!fd) return std::unexpected(fd.error());
  const sockaddr_in& to = sources->target();
  Nanos deadline = now() + timeout;
  int error = ::connect(fd->get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    if (!ready(fd->get(), POLLOUT, deadline)) {
      return environment_error(fmt::format("{}:{} accepts no connection: check the address", address, port));
    }
    socklen_t size = sizeof error;
    ::getsockopt(fd->get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    return environment_error(
        fmt::format("cannot connect to {}:{}: {}; start the server there, or name its port", address, port,
                    std::strerror(error)));
  }
  ResponseReader reader;
  body_.clear();
  std::string fault = send_all(fd->get(), request_, deadline);
  if (fault.empty()) fault = read_reply(fd->get(), reader, body_, deadline);
  if (!fault.empty()) return environment_error(fmt::format("{}:{} {}", address, port, fault));
  status_ = reader.status();
  if (status_ < 200 || status_ > 399) {
    return environment_error(fmt::format(
        "{}:{} answered with status {}: give a URL that it serves (2xx or 3xx)", address, port, status_));
  }
  return {};
}

Client make_url_client(std::string_view host, std::string_view target) {
  Client client;
  client.http = std::make_unique<UrlClient>(host, target);
  return client;
}

}  // namespace tickmark::load
