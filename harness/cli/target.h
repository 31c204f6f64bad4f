#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/error.h"

namespace tickmark::cli {

/// Where load goes: http://host[:port][/path] or tcp://host:port, resolved to a numeric IPv4 address.
struct Target {
  std::string url;
  std::string scheme;  ///< "http" or "tcp"
  std::string host;
  std::string path = "/";
  std::string address;
  uint16_t port = 80;

  /// host, with :port where it is not 80.
  std::string host_header() const;

  /// Parses and resolves (blocking getaddrinfo for names).
  static Expected<Target> parse(std::string_view url);
};

}  // namespace tickmark::cli
