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
  UrlClient(std::string_view host, std::string_view target);

  /// One round trip on a connection of its own, before any load; numeric IPv4. Anything but a 2xx or 3xx
  /// reply with a length within `timeout` is an error that says so. Must succeed before the client half is
  /// used.
  Expected<void> learn(const std::string& address, uint16_t port, Nanos timeout);

  bool learnt() const { return status_ != 0; }

  std::string_view request(uint64_t, std::string&) const override { return request_; }
  int expected_status(uint64_t) const override { return status_; }
  std::string_view expected_body(uint64_t) const override { return body_; }

 private:
  std::string request_;
  int status_ = 0;
  std::string body_;
};

/// `host`: the Host header ("localhost:8080"). `target`: path and query, beginning with '/'. run_load() lets
/// it learn before it connects anything else.
Client make_url_client(std::string_view host, std::string_view target);

}  // namespace tickmark::load
