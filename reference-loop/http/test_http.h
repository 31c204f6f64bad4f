// For tests: a raw TCP peer that says what it is told and collects what it hears, and a client that logs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reference-loop/http/http_client.h"
#include "reference-loop/test_log.h"

namespace refloop {

struct RawPeer {
  explicit RawPeer(Loop& loop) : tcp(loop) { tcp.data = this; }
  Tcp tcp;
  std::string heard;
  bool connected = false;
  bool ended = false;
  bool closed = false;
  std::function<void()> on_bytes = [] {};

  static RawPeer& of(Handle& handle) { return *static_cast<RawPeer*>(handle.data); }
  void connect(const Address& address) {
    (void)tcp.connect(address, [](Stream& stream, Error error) {
      RawPeer& self = of(stream);
      self.connected = error == Error::none;
      if (self.connected) self.read();
    });
  }
  void read() {
    (void)tcp.read_start(
        [](Stream& stream, Bytes bytes) {
          RawPeer& self = of(stream);
          self.heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          self.on_bytes();
        },
        [](Stream& stream, Error) { of(stream).ended = true; });
  }
  void say(std::string_view text) { (void)tcp.send(as_bytes(text)); }
  void close() {
    if (tcp.is_closing()) return;
    tcp.close([](Handle& handle) { of(handle).closed = true; });
  }
};

struct LoggingClient {
  LoggingClient(Loop& loop, HttpClientOptions options) : http(loop, std::move(options)) { http.data = this; }
  HttpClient http;
  Log log;
  std::string body;
  bool closing = false;
  bool closed = false;
  std::function<void()> on_open = [] {}, on_body = [] {}, on_done = [] {};

  static LoggingClient& of(HttpClient& http) { return *static_cast<LoggingClient*>(http.data); }
  void open(std::vector<Address> addresses) {
    (void)http.open(std::move(addresses), [](HttpClient& opened, Error error) {
      LoggingClient& self = of(opened);
      self.log.push_back("open " + std::string(name_of(error)));
      if (error == Error::none) self.on_open();
    });
  }
  Result<void> ask(const http_session::RequestHead& head) {
    body.clear();
    return http.request(head, {.on_head =
                                   [](HttpClient& asked, const http_parser::Response& response) {
                                     of(asked).log.push_back(std::to_string(response.status));
                                   },
                               .on_body =
                                   [](HttpClient& asked, std::string_view piece) {
                                     of(asked).body.append(piece);
                                     of(asked).on_body();
                                   },
                               .on_done =
                                   [](HttpClient& asked, Error error) {
                                     of(asked).log.push_back("done " + std::string(name_of(error)));
                                     of(asked).on_done();
                                   }});
  }
  Result<void> get(std::string_view target) { return ask({.target = target, .host = "localhost"}); }
  void close() {
    if (std::exchange(closing, true)) return;
    http.close([](HttpClient& http_closed) { of(http_closed).closed = true; });
  }
};

}  // namespace refloop
