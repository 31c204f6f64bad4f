// One request to an HttpServer and its answer.
//
// A request callback answers at once, or keeps the exchange and answers later; see server_exchange.h for the
// order of things and the calls that answer. What it wants to know of meanwhile, it sets here.
#pragma once

#include <string_view>

#include "reference-loop/http_session/server_exchange.h"

namespace refloop {

class HttpServer;

class HttpExchange final : public http_session::ServerExchange {
 public:
  using BodyCallback = void (*)(HttpExchange&, std::string_view piece);  // until it returns
  using Callback = void (*)(HttpExchange&);

  // Without it, the body passes unseen.
  void set_on_body(BodyCallback callback) { on_body_ = callback; }
  // The request was read to its end; at once behind the request callback where there is no body.
  void set_on_request_end(Callback callback) { on_request_end_ = callback; }
  // Everything written has left; see queued_bytes().
  void set_on_drain(Callback callback) { on_drain_ = callback; }
  // Nobody waits for an answer any more. The exchange must not be touched after it.
  void set_on_abandoned(Callback callback) { on_abandoned_ = callback; }

  HttpServer& server() const { return *server_; }

  void* data = nullptr;  // the caller's

 private:
  friend class HttpServer;
  friend class HttpConnection;

  void on_request(const http_parser::Request& request) override;
  void on_body(std::string_view piece) override {
    if (on_body_) on_body_(*this, piece);
  }
  void on_request_end() override {
    if (on_request_end_) on_request_end_(*this);
  }
  void on_drain() override {
    if (on_drain_) on_drain_(*this);
  }
  void on_abandoned() override {
    if (on_abandoned_) on_abandoned_(*this);
  }

  HttpServer* server_ = nullptr;
  BodyCallback on_body_ = nullptr;
  Callback on_request_end_ = nullptr;
  Callback on_drain_ = nullptr;
  Callback on_abandoned_ = nullptr;
};

}  // namespace refloop
