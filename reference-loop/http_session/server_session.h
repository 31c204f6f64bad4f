// The server's side of one HTTP/1.1 connection, sans-I/O: bytes in, exchanges, bytes out.
//
// What it guarantees: requests begin in the order they were sent and are answered in that order, however
// the answers are made; replies that one read caused leave in one send; a request that cannot be
// understood is answered with the status that says why, in its turn, and is the last; "100 Continue" goes
// to a client that waits for it, in its turn, unless its request was answered before.
//
// Memory: an idle session owns nothing but this object. Parser and output buffer are lent by the thread,
// the parser kept only while a request has arrived in part. A busy one owns its unanswered exchanges, of
// which there are at most `exchanges_max`, and what had been read when they were reached or a request was
// paused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reference-loop/http_parser/request_parser.h"
#include "reference-loop/http_session/server_exchange.h"

namespace http_session {

struct ServerSettings {
  http_parser::Limits limits = {};
  std::size_t exchanges_max = 64;              // begun and unanswered: then no more is read
  std::size_t unsent_bytes_max = 1024 * 1024;  // of answers the system did not take: the same
  bool with_date = true;                       // RFC 9110 6.6.1 wants a Date of every server that has a clock
  bool announce_keep_alive = false;  // "Connection: keep-alive" to HTTP/1.1 clients too, who assume it anyway
};

class ServerSession {
 public:
  // `settings` is borrowed for the session's life.
  explicit ServerSession(const ServerSettings& settings) : settings_(settings) {}
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // The peer sent bytes, borrowed until it returns; it has half-closed; what had to wait has left.
  void receive(std::string_view bytes);
  void receive_end();
  void drained();

  // Answers what is outstanding, then closes. A request that has arrived in part is still served.
  void finish();
  // The connection is gone: every exchange is abandoned, and nothing is sent any more.
  void abandon();
  // Refuses on behalf of the owner, who knows time: answers `status` in turn, and closes.
  void refuse(int status, const char* reason);

  // No request is unanswered and none has arrived in part.
  bool idle() const { return !front_ && !partial_; }
  // A request has arrived in part: its head, or some of its body.
  bool reading_head() const { return partial_ && !current_; }
  bool reading_body() const { return partial_ && current_; }
  // Not while too many answers are outstanding or unsent, or a body is paused.
  bool wants_input() const;
  std::uint64_t replies() const { return replies_; }
  // Read whole. With it, an owner tells the request that arrives from the one before.
  std::uint64_t requests_read() const { return requests_read_; }

 protected:
  virtual ~ServerSession();

  // Borrowed bytes, in order: what cannot be sent at once is copied.
  virtual void send(std::string_view bytes) = 0;
  // Given to send() and not taken by the system yet.
  virtual std::size_t unsent_bytes() const = 0;
  // Close after everything sent has left. Called once, and nothing after it.
  virtual void close() = 0;
  // wants_input() changed: who does not stop the input costs memory, nothing else.
  virtual void input_wanted(bool wanted) = 0;
  // The memory of exchanges is the owner's.
  virtual ServerExchange& acquire() = 0;
  virtual void release(ServerExchange& exchange) = 0;

 private:
  friend class ServerExchange;
  class Batch;

  void consume(std::string_view bytes);
  void settle_input(std::unique_ptr<http_parser::RequestParser> parser, std::string_view rest);
  void begin(const http_parser::Request& request);
  void end_request();
  void end_input();
  void void_exchange(ServerExchange& exchange);
  void stop_reading(ServerExchange& exchange);
  void refuse_message(const http_parser::Refusal& refusal);
  ServerExchange& append_exchange();
  void release_all();
  void pop_front();
  void owe_continue();
  void write_head(ServerExchange& exchange, int status, std::optional<std::size_t> length,
                  const FieldBlock* fields);
  void write_body(ServerExchange& exchange, std::string_view piece);
  void end_reply(ServerExchange& exchange);
  void advance();
  void take_up_input();
  void update_wanted();
  void flush();
  bool is_open() const { return !closed_; }

  const ServerSettings& settings_;
  std::unique_ptr<http_parser::RequestParser> partial_;  // while a request has arrived in part
  std::unique_ptr<std::string> held_;                    // arrived while no input was wanted
  std::string* output_ = nullptr;                        // while a batch is open: what it will send
  ServerExchange* front_ = nullptr;                      // not yet answered and read, in order
  ServerExchange* back_ = nullptr;
  ServerExchange* current_ = nullptr;  // whose body is being read: the last, if any
  std::size_t exchanges_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t requests_read_ = 0;
  bool input_over_ = false;  // nothing more will be read: the peer ended, asked to close, or was refused
  bool consuming_ = false;
  bool wanted_ = true;
  bool finishing_ = false;
  bool peer_ended_ = false;  // and what it sent before waits in held_
  bool closed_ = false;
  bool continue_awaited_ = false;  // the current request's peer waits, or was about to
  bool continue_owed_ = false;
};

}  // namespace http_session
