// An HTTP/1.1 server on a loop, on TCP or TLS.
//
//   refloop::HttpServer server(*loop, {}, [](refloop::HttpExchange& exchange, const http_parser::Request&) {
//     exchange.reply(200, "hello\n");
//   });
//   server.listen(refloop::Address::parse("127.0.0.1", 8080).value());
//   loop->run();
//
// What it guarantees: what server_session.h does (order, limits and their statuses), and that no peer costs
// more than bounded memory and time: one that sends its head slowly is answered 408 after `header_timeout`,
// one whose request trickles in, however short its pauses, after `request_timeout`, one that pauses, or does
// not read its answers, is given up after `idle_timeout`, one with many answers unread gets no more of its
// requests read. TLS handshakes are within `header_timeout`.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "reference-loop/http/http_exchange.h"
#include "reference-loop/http_session/server_session.h"
#include "reference-loop/intrusive_list.h"
#include "reference-loop/listener.h"
#include "reference-loop/tls/tls_context.h"

namespace refloop {

class HttpConnection;

struct HttpServerOptions {
  http_session::ServerSettings session = {};
  const TlsContext* tls = nullptr;                  // borrowed; nothing: plain HTTP
  Nanos header_timeout = std::chrono::seconds(10);  // from the first byte of a head to its last
  Nanos idle_timeout = std::chrono::seconds(60);    // between requests, and for each pause amid one
  // From the first byte of a request to the last of its body; while the handler has it paused, no time
  // passes.
  Nanos request_timeout = std::chrono::seconds(300);
  Nanos linger_timeout = std::chrono::seconds(5);  // for the peer to end, once everything was said
  std::size_t connections_max = 16 * 1024;         // beyond it a connection is dropped when accepted
};

class HttpServer {
 public:
  using RequestCallback = void (*)(HttpExchange&, const http_parser::Request& request);
  using CloseCallback = void (*)(HttpServer&);

  HttpServer(Loop& loop, HttpServerOptions options, RequestCallback on_request);
  // Closed, and the close callback has run; or never listened.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Port 0 takes a free one: see local_address().
  Result<void> listen(const Address& address, const ListenOptions& options = {});
  Result<Address> local_address() const { return listener_.local_address(); }
  // Serves a connection somebody else has accepted.
  void serve(Socket socket);

  // No connection any more; those that are idle end, those that are not finish what they have begun.
  void close(CloseCallback callback);
  // The same, and nobody is waited for. May follow close().
  void abort();

  std::size_t connections() const { return connection_count_; }
  Loop& loop() const { return loop_; }
  const HttpServerOptions& options() const { return options_; }

  void* data = nullptr;  // the caller's

 private:
  friend class HttpConnection;
  friend class HttpExchange;

  HttpExchange& acquire();
  void release(HttpExchange& exchange);
  void connection_closed(HttpConnection& connection);
  void report_if_closed();

  Loop& loop_;
  const HttpServerOptions options_;
  RequestCallback on_request_;
  CloseCallback on_close_ = nullptr;
  Listener listener_;
  IntrusiveList<HttpConnection> connections_;
  std::size_t connection_count_ = 0;
  bool listening_ = false;
  bool closing_ = false;
  bool listener_closed_ = false;
  std::vector<std::unique_ptr<HttpExchange>> spare_exchanges_;
};

}  // namespace refloop
