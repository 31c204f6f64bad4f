#pragma once
// Client halves as small as can be, for the tests of the generator.

#include <cstring>
#include <memory>
#include <string>

#include "harness/vocabulary/client.h"

namespace tickmark::load {

/// GET / -> the same body every time.
class FixedHttp final : public HttpClient {
 public:
  explicit FixedHttp(std::string body = "hello\n") : body_(std::move(body)) {}
  std::string_view request(uint64_t, std::string&) const override {
    return "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  }
  std::string_view expected_body(uint64_t) const override { return body_; }

 private:
  std::string body_;
};

/// An echo of messages that carry their number and a pattern.
class EchoStream final : public StreamClient {
 public:
  explicit EchoStream(size_t size = 64) : size_(size) {}
  size_t message_bytes() const override { return size_; }
  void message(uint64_t number, std::span<std::byte> out) const override {
    std::memcpy(out.data(), &number, sizeof number);
    for (size_t i = sizeof number; i < out.size(); ++i) out[i] = static_cast<std::byte>(number * 31 + i);
  }
  void expected_reply(uint64_t number, std::span<std::byte> out) const override { message(number, out); }

 private:
  size_t size_;
};

inline Client http_client(std::string body = "hello\n") {
  Client client;
  client.http = std::make_unique<FixedHttp>(std::move(body));
  return client;
}

inline Client echo_client(size_t size = 64) {
  Client client;
  client.stream = std::make_unique<EchoStream>(size);
  return client;
}

}  // namespace tickmark::load
