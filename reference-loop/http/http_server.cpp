#include "reference-loop/http/http_server.h"

#include <cassert>
#include <utility>

#include "reference-loop/http/http_connection.h"

namespace refloop {
namespace {

constexpr std::size_t kSpareExchangesMax = 256;

}  // namespace

void HttpExchange::on_request(const http_parser::Request& request) { server_->on_request_(*this, request); }

HttpServer::HttpServer(Loop& loop, HttpServerOptions options, RequestCallback on_request)
    : loop_(loop), options_(options), on_request_(on_request), listener_(loop) {
  listener_.data = this;
}

HttpServer::~HttpServer() {
  assert(connection_count_ == 0 && "an HTTP server is closed before it is destroyed");
}

Result<void> HttpServer::listen(const Address& address, const ListenOptions& options) {
  const auto started = listener_.listen(address, options, [](Listener& listener, Socket socket) {
    static_cast<HttpServer*>(listener.data)->serve(std::move(socket));
  });
  listening_ = started.has_value();
  return started;
}

void HttpServer::serve(Socket socket) {
  if (closing_ || connection_count_ >= options_.connections_max) return;
  HttpConnection::start(*this, std::move(socket));
}

void HttpServer::close(CloseCallback callback) {
  assert(!closing_ && "closed twice");
  closing_ = true;
  on_close_ = callback;
  listener_.close([](Handle& handle) {
    auto& server = *static_cast<HttpServer*>(handle.data);
    server.listener_closed_ = true;
    server.report_if_closed();
  });
  // Each may leave the list while it finishes, but only in a later phase.
  connections_.for_each([](HttpConnection& connection) { connection.finish(); });
}

void HttpServer::abort() {
  if (!closing_) close(nullptr);
  connections_.for_each([](HttpConnection& connection) { connection.abort(); });
}

HttpExchange& HttpServer::acquire() {
  std::unique_ptr<HttpExchange> exchange;
  if (spare_exchanges_.empty()) {
    exchange = std::make_unique<HttpExchange>();
    exchange->server_ = this;
  } else {
    exchange = std::move(spare_exchanges_.back());
    spare_exchanges_.pop_back();
  }
  return *exchange.release();  // the session's until release()
}

void HttpServer::release(HttpExchange& exchange) {
  exchange.on_body_ = nullptr;
  exchange.on_request_end_ = exchange.on_drain_ = exchange.on_abandoned_ = nullptr;
  exchange.data = nullptr;
  std::unique_ptr<HttpExchange> gone(&exchange);
  if (spare_exchanges_.size() < kSpareExchangesMax) spare_exchanges_.push_back(std::move(gone));
}

void HttpServer::connection_closed(HttpConnection& connection) {
  connection.unlink();
  --connection_count_;
  report_if_closed();
}

void HttpServer::report_if_closed() {
  if (!closing_ || !listener_closed_ || connection_count_ > 0) return;
  if (const CloseCallback callback = std::exchange(on_close_, nullptr)) callback(*this);
}

}  // namespace refloop
