#include "reference-loop/stream.h"

#include "reference-loop/sys.h"

namespace refloop {

Result<void> Stream::adopt(Socket socket) {
  if (is_closing()) return failure(Error::bad_state);
  if (socket_) return failure(Error::already_connected);
  const int flags = sys::fcntl(socket.fd(), F_GETFL);
  if (flags < 0) return failure(last_error());
  if (!(flags & O_NONBLOCK) && sys::fcntl(socket.fd(), F_SETFL, flags | O_NONBLOCK) != 0)
    return failure(last_error());
  socket_ = std::move(socket);
  watch_.stream = this;
  return {};
}

Result<void> Stream::connect(const Address& peer, ConnectCallback callback) {
  if (is_closing()) return failure(Error::bad_state);
  if (socket_) return failure(Error::already_connected);
  Socket socket(sys::socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failure(last_error());
  return connect_socket(std::move(socket), peer, callback);
}

Result<void> Stream::connect_socket(Socket socket, const Address& peer, ConnectCallback callback) {
  if (is_closing()) return failure(Error::bad_state);
  socket_ = std::move(socket);
  watch_.stream = this;
  connecting_ = true;
  on_connect_ = callback;
  connect_decided_ = false;
  ++loop_.active_requests_;
  connect_tag_.label = tag_.label;
  loop_.trace_schedule(Kind::connect, connect_tag_);
  if (auto started = loop_.backend_->connect(*this, peer); !started) {
    // A refusal is an outcome like any other: it is called back, later.
    connect_error_ = started.error();
    connect_decided_ = true;
    loop_.defer(*this);
  }
  update_activity();
  return {};
}

void Stream::connected(Error error) {
  connecting_ = false;
  deliver_connect(error);
}

void Stream::deliver_connect(Error error) {
  connecting_ = false;
  --loop_.active_requests_;
  const ConnectCallback callback = std::exchange(on_connect_, nullptr);
  if (error != Error::none && !is_closing())
    fail_queue(Error::canceled);
  else if (error == Error::none && !queue_.empty())
    loop_.backend_->write(*this);
  update_activity();
  if (shutdown_requested_) loop_.defer(*this);
  loop_.invoke(Kind::connect, connect_tag_, [&] {
    if (callback) callback(*this, error);
  });
}

Result<void> Stream::read_start(ReadCallback on_read, EndCallback on_end) {
  if (is_closing() || !on_read || !on_end) return failure(Error::bad_state);
  if (!socket_ || connecting_) return failure(Error::not_connected);
  on_read_ = on_read;
  on_end_ = on_end;
  if (reading_) return {};
  if (end_delivered_) return failure(Error::not_connected);
  if (auto started = loop_.backend_->read_start(*this); !started) return started;
  reading_ = true;
  loop_.trace_schedule(Kind::read, tag_);
  update_activity();
  return {};
}

void Stream::read_stop() {
  if (!reading_ || is_mutant(Mutant::read_after_stop)) return;
  reading_ = false;
  loop_.backend_->read_stop(*this);
  update_activity();
}

void Stream::received(Bytes bytes) {
  if (is_mutant(Mutant::end_before_data) && !std::exchange(end_delivered_, true)) {
    loop_.invoke(Kind::read_end, tag_, [&] { on_end_(*this, Error::none); });
    if (!reading_) return;
  }
  loop_.invoke(Kind::read, tag_, [&] { on_read_(*this, bytes); });
}

void Stream::ended(Error error) {
  reading_ = false;
  end_delivered_ = true;
  if (send_failed_ && error == Error::none) error = write_error_;
  update_activity();
  if (is_mutant(Mutant::end_shuts_down_sending)) (void)loop_.backend_->shutdown(*this);
  loop_.invoke(Kind::read_end, tag_, [&] { on_end_(*this, error); });
  if (is_mutant(Mutant::end_twice)) {
    if (!is_closing()) loop_.invoke(Kind::read_end, tag_, [&] { on_end_(*this, error); });
  }
}

// Reading, connecting and unsent bytes keep the loop alive; an idle open socket does not.
void Stream::update_activity() {
  if (reading_ && !is_closing())
    activate();
  else
    deactivate();
}

Result<void> Stream::shutdown(ShutdownCallback callback) {
  if (is_closing()) return failure(Error::bad_state);
  if (!socket_) return failure(Error::not_connected);
  if (shutdown_requested_) return failure(Error::broken_pipe);
  shutdown_requested_ = true;
  on_shutdown_ = callback;
  ++loop_.active_requests_;
  shutdown_tag_.label = tag_.label;
  loop_.trace_schedule(Kind::shutdown, shutdown_tag_);
  if (is_mutant(Mutant::shutdown_synchronous)) {
    if (queue_.empty() && sent_.empty() && !connecting_) {
      deliver_shutdown();
      return {};
    }
  }
  if ((queue_.empty() || is_mutant(Mutant::shutdown_overtakes_writes)) && !connecting_) loop_.defer(*this);
  return {};
}

void Stream::deliver_shutdown() {
  Error error = Error::canceled;
  if (!is_closing() && write_failed_) {
    error = write_error_;  // an orderly end would say that all was sent
  } else if (!is_closing()) {
    const auto result = loop_.backend_->shutdown(*this);
    error = result ? Error::none : result.error();
  }
  shutdown_sent_ = true;
  --loop_.active_requests_;
  const ShutdownCallback callback = std::exchange(on_shutdown_, nullptr);
  loop_.invoke(Kind::shutdown, shutdown_tag_, [&] {
    if (callback) callback(*this, error);
  });
}

// Order: the outcome of connecting, writes that ended, then, if nothing is left to send, the shutdown.
void Stream::deliver_pending() {
  if (connect_decided_) {
    connect_decided_ = false;
    deliver_connect(connect_error_);
    if (is_closing()) return;
  }
  deliver_writes();
  if (is_closing()) return;
  if (drain_due_) deliver_drain();
  if (is_closing()) return;
  if (shutdown_requested_ && !shutdown_sent_) loop_.backend_->settle(*this);
  const bool all_reported =
      (queue_.empty() || is_mutant(Mutant::shutdown_overtakes_writes)) && sent_.empty() && !connecting_;
  if (shutdown_requested_ && !shutdown_sent_ && all_reported) deliver_shutdown();
}

void Stream::begin_close() {
  reading_ = false;
  if (socket_) loop_.backend_->close(*this);
  refloop::ListHook<PendingTag>::unlink();  // what has ended is delivered in the closing phase
  socket_.reset();
}

// What the closing phase owes before the close callback: connect, writes in order, shutdown.
void Stream::finish_close() {
  if (connecting_ || connect_decided_) {
    const Error error = connect_decided_ ? connect_error_ : Error::canceled;
    connect_decided_ = false;
    deliver_connect(error);
  }
  if (is_mutant(Mutant::read_callback_at_close) && on_read_)
    loop_.invoke(Kind::read, tag_, [&] { on_read_(*this, {}); });
  fail_queue(Error::canceled);
  refloop::ListHook<PendingTag>::unlink();
  deliver_writes();
  if (shutdown_requested_ && !shutdown_sent_) deliver_shutdown();
  refloop::ListHook<PendingTag>::unlink();
}

}  // namespace refloop
