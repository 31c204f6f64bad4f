#include "reference-loop/http/http_connection.h"

#include <algorithm>
#include <utility>

namespace refloop {

HttpConnection::HttpConnection(HttpServer& server)
    : ServerSession(server.options().session),
      server_(server),
      channel_(server.loop(), *this, server.options().tls),
      timer_(server.loop()) {
  timer_.data = this;
  timer_.unref();
  timer_.make_internal();
}

void HttpConnection::start(HttpServer& server, Socket socket) {
  auto* connection = new HttpConnection(server);  // channel_closed() deletes it
  server.connections_.push_back(*connection);
  ++server.connection_count_;
  connection->wait_until(server.loop().now() + server.options().header_timeout);
  if (!connection->channel_.adopt(std::move(socket))) return connection->abort();
  if (connection->channel_.is_open()) connection->update();
}

void HttpConnection::abort() {
  abandon();
  timer_.stop();
  channel_.close();
}

void HttpConnection::send(std::string_view bytes) {
  if (!channel_.send(bytes)) return abort();
  update();
}

// First the end of what we send; what the peer still sends is read and dropped until it ends too, because
// closing with unread input would reset the connection under replies on their way.
void HttpConnection::close() {
  lingering_ = true;
  channel_.shutdown();
  update();
}

void HttpConnection::channel_opened(Error error) {
  if (error != Error::none) return abort();
  update();
}

void HttpConnection::channel_read(Bytes bytes) {
  if (lingering_) return;
  receive({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (wait_ == Wait::body || wait_ == Wait::request) wait_ = Wait::answer;  // progress: wait anew
  update();
}

void HttpConnection::channel_ended(Error error) {
  if (error != Error::none) return abort();
  peer_ended_ = true;
  reading_ = false;
  if (!lingering_) receive_end();
  update();
}

void HttpConnection::channel_drained() {
  drained();
  update();
}

void HttpConnection::channel_shut_down() {
  shut_down_ = true;
  update();
}

void HttpConnection::channel_closed() {
  server_.connection_closed(*this);
  delete this;
}

HttpConnection::Wait HttpConnection::current_wait() const {
  if (!channel_.is_open()) return Wait::handshake;
  if (lingering_) return Wait::linger;
  if (channel_.queued_bytes() > 0) return Wait::sending;
  if (reading_head()) return Wait::head;
  if (reading_body() && reading_) return Wait::body;  // paused, it is us it waits for
  return idle() ? Wait::request : Wait::answer;
}

void HttpConnection::update() {
  if (channel_.is_closing() || !channel_.is_open()) return;
  if (lingering_ && shut_down_ && peer_ended_) return abort();
  const bool wanted = !peer_ended_ && (lingering_ || wants_input());
  if (wanted != reading_) {
    reading_ = wanted;
    if (!wanted)
      channel_.read_stop();
    else if (!channel_.read_start())
      return abort();
  }
  time_request();
  const Wait wait = current_wait();
  if (wait == wait_) return;
  wait_ = wait;
  const Nanos now = server_.loop().now();
  switch (wait) {
    case Wait::handshake:
    case Wait::head:
      return wait_until(now + server_.options().header_timeout);
    case Wait::sending:
      queued_then_ = channel_.queued_bytes();
      [[fallthrough]];
    case Wait::request:
    case Wait::body:
      return wait_until(now + server_.options().idle_timeout);
    case Wait::linger:
      return wait_until(now + server_.options().linger_timeout);
    case Wait::answer:
      deadline_ = Nanos::max();  // the handler may take its time
  }
}

// The clock of a whole request: begins with it, stands still while the handler has it paused.
void HttpConnection::time_request() {
  if (!reading_head() && !reading_body()) {
    request_deadline_ = Nanos::max();
    held_up_ = false;
    return;
  }
  const Nanos now = server_.loop().now();
  if (request_deadline_ == Nanos::max() || request_timed_ != requests_read()) {
    request_timed_ = requests_read();
    request_deadline_ = now + server_.options().request_timeout;
    held_up_ = false;
  }
  const bool held_up = reading_body() && !reading_;
  if (held_up && !held_up_) held_up_since_ = now;
  if (!held_up && held_up_) request_deadline_ += now - held_up_since_;
  held_up_ = held_up;
}

void HttpConnection::wait_until(Nanos deadline) {
  deadline_ = deadline;
  set_timer();
}

// Later deadlines cost nothing: the timer finds out when it fires.
void HttpConnection::set_timer() {
  const Nanos next = held_up_ ? deadline_ : std::min(deadline_, request_deadline_);
  if (next == Nanos::max() || (timer_.is_active() && timer_.due() <= next)) return;
  (void)timer_.start([](Timer& timer) { static_cast<HttpConnection*>(timer.data)->timer_fired(); },
                     next - server_.loop().now());
}

void HttpConnection::timer_fired() {
  const Nanos now = server_.loop().now();
  if (!held_up_ && now >= request_deadline_) return refuse(408, "the request took too long");
  if (now < deadline_) return set_timer();
  switch (wait_) {
    case Wait::head:
      return refuse(408, "the request head took too long");
    case Wait::body:
      return refuse(408, "the request body paused for too long");
    case Wait::sending:
      if (channel_.queued_bytes() >= queued_then_) return abort();
      queued_then_ = channel_.queued_bytes();  // slow, but it reads
      return wait_until(now + server_.options().idle_timeout);
    case Wait::handshake:
    case Wait::request:
    case Wait::linger:
      return abort();
    case Wait::answer:
      break;
  }
}

}  // namespace refloop
