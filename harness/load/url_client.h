#pragma once
// A client half for any HTTP server: GET one path again and again. What is right is not known beforehand, so
// the first reply is taken as the truth and every later one must have its status and its body; what this
// proves is framing and constancy, not correctness.

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/time.h"
#include "harness/vocabulary/client.h"

namespace tickmark::load {

class UrlClient final : public HttpClient {
 public:
  /// `host`: the Host header ("localhost:8080"). `target`: path and query, beginning with '/'.
  UrlClient(std::string_view host, std::string_view target);

  /// One round trip on a connection of its own, before any load; numeric IPv4. Anything but a 2xx or 3xx
  /// reply with a length within `timeout` is an error that says so. Must succeed before the client half is
  /// used.
  Expected<void> learn(const std::string& address, uint16_t port, Nanos timeout);

  std::string_view request(uint64_t, std::string&) const override { return request_; }
  int expected_status(uint64_t) const override { return status_; }
  std::string_view expected_body(uint64_t) const override { return body_; }

 private:
  std::string request_;
  int status_ = 0;
  std::string body_;
};

/// The parts of http://host[:port][/path][?query]; a fragment is dropped, the host may be a name.
struct Url {
  std::string host;
  uint16_t port = 80;
  std::string target = "/";
  std::string host_header;  ///< host, and the port unless it is 80
};
/// Error: what about `text` is no http URL.
Expected<Url> parse_url(std::string_view text);
/// Numeric IPv4 of a name; loopback names need no network.
Expected<std::string> resolve_ipv4(const std::string& host);

}  // namespace tickmark::load
