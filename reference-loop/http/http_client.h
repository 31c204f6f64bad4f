// One connection to one HTTP/1.1 server, on TCP or TLS: requests one after the other, answers as they arrive.
//
// open() tries addresses in order. Then request(), its callbacks (on_head once, on_body as often as there is
// something, on_done once, last), and, if is_reusable() says so, the next. Interim answers (1xx) are passed
// over. Strictly parsed and limited like everything here: see response_parser.h. Answers are not interpreted:
// no redirect is followed, no coding undone, no cookie kept.
//
// Memory is the caller's, until the close callback ran. No callback runs inside a call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reference-loop/http/channel.h"
#include "reference-loop/http_parser/response_parser.h"
#include "reference-loop/http_session/request_head.h"
#include "reference-loop/timer.h"

namespace refloop {

struct HttpClientOptions {
  http_parser::Limits limits = {.head_bytes_max = 64 * 1024, .headers_max = 200, .body_bytes_max = 1u << 30};
  const TlsContext* tls = nullptr;                   // borrowed; nothing: plain HTTP
  std::string host = {};                             // whom TLS verifies
  TlsSession session = {};                           // to be resumed, perhaps
  Nanos connect_timeout = std::chrono::seconds(10);  // for each address, TLS included
  Nanos idle_timeout = std::chrono::seconds(30);     // for each pause of the server amid an exchange
};

class HttpClient final : private Channel::Owner {
 public:
  using OpenCallback = void (*)(HttpClient&, Error error);
  using CloseCallback = void (*)(HttpClient&);
  struct Callbacks {
    void (*on_head)(HttpClient&, const http_parser::Response& response) = nullptr;  // until it returns
    void (*on_body)(HttpClient&, std::string_view piece) = nullptr;                 // until it returns
    // none: the answer is complete. Else why not, see failure_reason(); the connection is of no more use.
    void (*on_done)(HttpClient&, Error error) = nullptr;
  };

  HttpClient(Loop& loop, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Once. The error is that of the last address tried; a certificate that is refused ends the trying.
  Result<void> open(std::vector<Address> addresses, OpenCallback callback);

  // Sends the head; `head` announces a body by length or `chunked`, which write() and end() then send.
  // Error::busy while an exchange is going on, not_connected, bad_state for a head that cannot be sent.
  Result<void> request(const http_session::RequestHead& head, Callbacks callbacks);
  // After one that failed they all fail: nothing is sent behind a gap. on_done comes all the same; better
  // close().
  Result<void> write(std::string_view piece);
  Result<void> end();
  // Of the request, not yet taken by the system.
  std::size_t queued_bytes() const { return channel_ ? channel_->queued_bytes() : 0; }

  // No more on_body until resume(): the server is left to wait, and so is the timeout.
  void pause();
  void resume();

  // Open, nothing under way, and the server keeps the connection.
  bool is_reusable() const { return open_ && !busy_ && keep_alive_; }
  // One sentence about the last error, empty if there was none.
  const std::string& failure_reason() const { return failure_reason_; }
  const TlsStream* tls() const { return channel_ ? channel_->tls() : nullptr; }
  bool is_closing() const { return closing_; }
  Loop& loop() const { return loop_; }

  // What is under way ends with Error::canceled before `callback`.
  void close(CloseCallback callback);

  void* data = nullptr;  // the caller's

 private:
  void channel_opened(Error error) override;
  void channel_read(Bytes bytes) override;
  void channel_ended(Error error) override;
  void channel_drained() override {}
  void channel_shut_down() override {}
  void channel_closed() override;

  void connect_next();
  void report_open(Error error);
  void receive(std::string_view bytes);
  bool take(const http_parser::Progress& progress);
  Result<void> send_body(std::string_view bytes);
  void finish(Error error, std::string reason);
  void expect_within(Nanos timeout);
  void timed_out();
  void woken();

  Loop& loop_;
  const HttpClientOptions options_;
  std::unique_ptr<Channel> channel_;
  http_parser::ResponseParser parser_;
  Timer timeout_;
  Timer wake_;  // for what may not happen inside a call
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  OpenCallback on_open_ = nullptr;
  CloseCallback on_close_ = nullptr;
  Callbacks callbacks_;
  std::string held_;  // arrived while paused
  std::string failure_reason_;
  Error open_error_ = Error::none;
  Error send_error_ = Error::none;   // of the request's body
  std::size_t body_bytes_left_ = 0;  // of the request, where its length was announced
  int interim_responses_ = 0;
  bool request_chunked_ = false;
  bool request_sent_ = false;
  bool open_ = false;
  bool busy_ = false;
  bool head_seen_ = false;
  bool keep_alive_ = false;
  bool paused_ = false;
  bool peer_ended_ = false;
  bool closing_ = false;
};

}  // namespace refloop
