#include "harness/cli/target.h"

#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <netdb.h>

namespace tickmark::cli {
namespace {

Expected<std::string> resolve(const std::string& host, std::string_view url) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    return environment_error(
        fmt::format("'{}': host '{}' does not resolve to an IPv4 address ({}); check the name", url, host,
                    gai_strerror(code)));
  }
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr, text, sizeof text);
  freeaddrinfo(found);
  return text;
}

}  // namespace

std::string Target::host_header() const { return port == 80 ? host : fmt::format("{}:{}", host, port); }

Expected<Target> Target::parse(std::string_view url) {
  Target target;
  target.url = url;
  const size_t scheme_end = url.find("://");
  target.scheme = scheme_end == std::string_view::npos ? "" : url.substr(0, scheme_end);
  if (target.scheme == "https") {
    return usage_error(
        fmt::format("'{}': https is not spoken yet; expected http://host:port/path or tcp://host:port", url));
  }
  if (target.scheme != "http" && target.scheme != "tcp") {
    return usage_error(
        fmt::format("'{}' is not a target; expected http://host:port/path or tcp://host:port", url));
  }
  std::string_view rest = url.substr(scheme_end + 3);
  if (const size_t slash = rest.find('/'); slash != std::string_view::npos) {
    target.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  const size_t colon = rest.find(':');
  target.host = rest.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), target.port);
    if (error != std::errc{} || end != digits.data() + digits.size() || target.port == 0) {
      return usage_error(
          fmt::format("'{}': '{}' is not a port; expected a number from 1 to 65535", url, digits));
    }
  } else if (target.scheme == "tcp") {
    return usage_error(fmt::format("'{}' names no port; expected tcp://host:port", url));
  }
  if (target.host.empty())
    return usage_error(fmt::format("'{}' names no host; expected {}://host:port", url, target.scheme));
  if (target.path.find_first_of(" \r\n") != std::string::npos) {
    return usage_error(fmt::format("'{}': the path contains white space; encode it as %20", url));
  }
  auto address = resolve(target.host, url);
  if (!address) return std::unexpected(address.error());
  target.address = *address;
  return target;
}

}  // namespace tickmark::cli
