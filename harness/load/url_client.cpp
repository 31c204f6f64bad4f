#include "harness/load/url_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <netdb.h>
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
  std::vector<char> buffer(64 * 1024);
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

Expected<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  auto fault = [text](std::string_view what) {
    return usage_error(fmt::format("'{}' {}; expected http://host[:port]/path", text, what));
  };
  if (!text.starts_with(kScheme)) return fault("is no http URL");
  std::string_view rest = text.substr(kScheme.size());
  rest = rest.substr(0, rest.find('#'));
  if (std::any_of(rest.begin(), rest.end(), [](unsigned char c) { return c <= ' ' || c >= 127; })) {
    return fault("contains a blank or a character outside ASCII");
  }
  size_t end = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, end);
  Url url;
  if (end != std::string_view::npos) {
    url.target = rest[end] == '?' ? fmt::format("/{}", rest.substr(end)) : std::string(rest.substr(end));
  }
  size_t colon = authority.find(':');
  url.host = authority.substr(0, colon);
  if (url.host.empty() || authority.find('@') != std::string_view::npos) return fault("has no plain host");
  if (colon != std::string_view::npos) {
    std::string_view port = authority.substr(colon + 1);
    auto [last, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || last != port.data() + port.size() || url.port == 0) {
      return fault("has a port that is no number from 1 to 65535");
    }
  }
  url.host_header = url.port == 80 ? url.host : fmt::format("{}:{}", url.host, url.port);
  return url;
}

Expected<std::string> resolve_ipv4(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  if (error != 0 || found == nullptr) {
    return environment_error(
        fmt::format("cannot resolve host '{}' to an IPv4 address: {}", host, ::gai_strerror(error)));
  }
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr, text, sizeof text);
  return std::string(text);
}

}  // namespace tickmark::load
