// One request and its answer: what the peer sent, as callbacks; what it gets, as calls.
//
// Derive from it. The order is on_request, on_body..., on_request_end, and then, before, between or after
// these, the answer: reply(), or begin_reply(), write()... and end_reply(). Any number of exchanges of one
// connection may be open at once; their answers leave in the order of the requests, so what is written out
// of turn is kept. An exchange goes back to its session when it is answered and its request was read, or
// after on_abandoned(); then it must not be touched any more.
//
// Every call and callback happens where the session runs; none is thread-safe. A callback may make any
// call. Everything given to a call is the caller's again when it returns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "reference-loop/http_parser/request_parser.h"
#include "reference-loop/http_session/response_head.h"

namespace http_session {

class ServerSession;

class ServerExchange {
 public:
  virtual ~ServerExchange() = default;
  ServerExchange() = default;
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  // Answers whole, with Content-Length. Once per exchange.
  void reply(int status, std::string_view body, const FieldBlock* fields = nullptr);

  // Answers in parts: with Content-Length where `length` is known, chunked where it is not, and until the
  // end of the connection where the client speaks HTTP/1.0. HEAD is answered with the head alone.
  void begin_reply(int status, std::optional<std::size_t> length = {}, const FieldBlock* fields = nullptr);
  // Never more than `length` in total: that is a programmer's error.
  void write(std::string_view piece);
  // Less than `length` in total: the connection ends, so that the client sees that something is missing.
  void end_reply();
  // Written and not yet taken by the system. Who writes much stops above a limit of his own, until on_drain.
  std::size_t queued_bytes() const;

  // No more on_body until resume(): the peer is left to wait, at the cost of what had arrived by then.
  void pause();
  void resume();

  // The answer has begun: too late for another status.
  bool is_begun() const { return begun_; }

 protected:
  // `request` and its views: until it returns.
  virtual void on_request(const http_parser::Request& request) = 0;
  virtual void on_body(std::string_view) {}
  virtual void on_request_end() {}
  // Everything written has left, after some of it had to wait.
  virtual void on_drain() {}
  // The connection is gone, or its peer broke the protocol amid the request: nobody waits for an answer.
  virtual void on_abandoned() {}

 private:
  friend class ServerSession;

  ServerSession* session_ = nullptr;
  ServerExchange* next_ = nullptr;
  std::optional<std::size_t> length_left_;  // of a begun reply with Content-Length
  std::string kept_;                        // of the answer, until it is its turn
  bool head_only_ = false;
  bool http_1_0_ = false;
  bool close_after_ = false;
  bool request_read_ = false;
  bool begun_ = false;
  bool ended_ = false;
  bool chunked_ = false;
  bool paused_ = false;
};

}  // namespace http_session
