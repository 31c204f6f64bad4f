// One connection of an HttpServer: the session on its channel, and the clock that ends both.
#pragma once

#include <cstdint>
#include <memory>

#include "reference-loop/http/channel.h"
#include "reference-loop/http/http_server.h"
#include "reference-loop/timer.h"

namespace refloop {

class HttpConnection final : private http_session::ServerSession, private Channel::Owner, public ListHook<> {
 public:
  // Deletes itself when its channel is closed.
  static void start(HttpServer& server, Socket socket);

  void finish() { ServerSession::finish(); }
  void abort();

 private:
  // What the connection waits for, and is given up for.
  enum class Wait : std::uint8_t { handshake, request, head, body, sending, answer, linger };

  HttpConnection(HttpServer& server);

  void send(std::string_view bytes) override;
  std::size_t unsent_bytes() const override { return channel_.queued_bytes(); }
  void close() override;
  void input_wanted(bool) override { update(); }
  http_session::ServerExchange& acquire() override { return server_.acquire(); }
  void release(http_session::ServerExchange& exchange) override {
    server_.release(static_cast<HttpExchange&>(exchange));
  }

  void channel_opened(Error error) override;
  void channel_read(Bytes bytes) override;
  void channel_ended(Error error) override;
  void channel_drained() override;
  void channel_shut_down() override;
  void channel_closed() override;

  // After everything that happened: whether to read, and until when to wait.
  void update();
  Wait current_wait() const;
  void time_request();
  void wait_until(Nanos deadline);
  void set_timer();
  void timer_fired();

  HttpServer& server_;
  Channel channel_;
  Timer timer_;
  // Of what it waits for. The timer is set to it, to the request's or to an earlier time, and looks again.
  Nanos deadline_{};
  // Of the request that is arriving: when it must be here, and which it is. `held_up_since_`: the handler has
  // paused it.
  Nanos request_deadline_ = Nanos::max();
  Nanos held_up_since_{};
  std::uint64_t request_timed_ = 0;
  std::size_t queued_then_ = 0;
  Wait wait_ = Wait::handshake;
  bool reading_ = false;
  bool held_up_ = false;
  bool lingering_ = false;
  bool shut_down_ = false;
  bool peer_ended_ = false;
};

}  // namespace refloop
