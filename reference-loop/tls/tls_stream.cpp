// The reading half of TlsStream, and its ends. tls_write.cpp is the writing half.
#include "reference-loop/tls/tls_stream.h"

#include <array>
#include <utility>

namespace refloop {
namespace {

TlsStream& above(Stream& below) { return *static_cast<TlsStream*>(below.data); }

// Lent to one read callback at a time, like the loop's own read buffer.
thread_local std::array<std::byte, kTlsRecordBytes> record;

}  // namespace

TlsStream::TlsStream(Stream& below, const TlsContext& context, std::string_view host)
    : Handle(below.loop(), Kind::read), below_(below), engine_(context, host) {
  below_.data = this;
  below_.make_internal();
}

Result<void> TlsStream::handshake(HandshakeCallback callback) {
  if (is_closing() || handshake_started_ || !callback) return failure(Error::bad_state);
  if (auto started = start_below(); !started) return started;
  handshake_started_ = true;
  on_handshake_ = callback;
  handshake_tag_.label = tag_.label;
  loop_.trace_schedule(Kind::connect, handshake_tag_);
  below_.set_on_drain([](Stream& stream) {
    TlsStream& self = above(stream);
    self.drain_due_ = true;
    self.loop_.defer(self);
  });
  pull();  // a client speaks first; nothing has arrived, so nothing is called back
  return {};
}

Result<void> TlsStream::start_below() {
  if (below_reading_ || below_ended_) return {};
  auto started = below_.read_start([](Stream& stream, Bytes bytes) { above(stream).receive(bytes); },
                                   [](Stream& stream, Error error) { above(stream).below_ended(error); });
  below_reading_ = started.has_value();
  return started;
}

void TlsStream::stop_below() {
  if (!std::exchange(below_reading_, false)) return;
  below_.read_stop();
}

Result<void> TlsStream::read_start(ReadCallback on_read, EndCallback on_end) {
  if (is_closing() || !on_read || !on_end) return failure(Error::bad_state);
  if (!engine_.is_connected() && failure_ == Error::none) return failure(Error::not_connected);
  on_read_ = on_read;
  on_end_ = on_end;
  if (reading_) return {};
  if (end_delivered_) return failure(Error::not_connected);
  reading_ = true;
  loop_.trace_schedule(Kind::read, tag_);
  // What had arrived before, a failure too, is delivered later, never in here.
  if (!unread_.empty() || failure_ != Error::none || below_ended_)
    loop_.defer(*this);
  else if (!pulling_)
    return start_below();
  return {};
}

void TlsStream::read_stop() {
  reading_ = false;
  if (engine_.is_connected() && !pulling_) stop_below();
}

void TlsStream::receive(Bytes ciphertext) {
  engine_.set_input(ciphertext);
  pull();
}

// Takes what the engine makes of its input until there is no more, or nobody wants it.
void TlsStream::pull() {
  pulling_ = true;
  bool more = failure_ == Error::none;
  while (more && !is_closing() && (reading_ || !engine_.is_connected())) {
    std::size_t size = 0;
    const TlsEngine::Status status = engine_.advance(record, size);
    flush();
    switch (status) {
      case TlsEngine::Status::need_input:
        more = false;
        break;
      case TlsEngine::Status::connected:
        encrypt_queue();
        loop_.invoke(Kind::connect, handshake_tag_,
                     [&] { std::exchange(on_handshake_, nullptr)(*this, Error::none); });
        break;
      case TlsEngine::Status::data:
        loop_.invoke(kind_, tag_, [&] { on_read_(*this, Bytes(record.data(), size)); });
        break;
      case TlsEngine::Status::end:
        deliver_end(Error::none);
        more = false;
        break;
      case TlsEngine::Status::failed:
        fail_engine();
        more = false;
        break;
    }
  }
  pulling_ = false;
  keep_unread();
}

// The bytes behind what was asked for stay here, and the rest in the kernel.
void TlsStream::keep_unread() {
  const Bytes rest = engine_.unread_input();
  if (is_closing() || end_delivered_ || failure_ != Error::none) {
    unread_ = {};
    engine_.set_input({});
    if (!is_closing()) stop_below();
    return;
  }
  std::vector<std::byte> kept(rest.begin(), rest.end());
  unread_ = std::move(kept);
  engine_.set_input({});
  if (engine_.is_connected() && !reading_)
    stop_below();
  else if (unread_.empty() && !start_below())
    fail(Error::not_connected, "the stream below ended");
}

void TlsStream::below_ended(Error error) {
  below_reading_ = false;
  below_ended_ = true;
  if (error != Error::none) return fail(error, std::string(message_of(error)));
  if (end_delivered_) return;
  engine_.end_input();
  pull();
}

void TlsStream::deliver_end(Error error) {
  if (!std::exchange(reading_, false)) return;
  end_delivered_ = true;
  loop_.invoke(Kind::read_end, tag_, [&] { on_end_(*this, error); });
}

void TlsStream::fail_engine() { fail(engine_.failure().error, engine_.failure().reason); }

// Told later, whatever found it out: a read, a write, a handshake.
void TlsStream::fail(Error error, std::string reason) {
  if (failure_ != Error::none) return;
  failure_ = error;
  failure_reason_ = std::move(reason);
  if (!pulling_ && !is_closing()) stop_below();
  fail_queue(error);
  loop_.defer(*this);
}

// Ciphertext goes down as soon as it is made; what the system does not take is copied there, and counted.
void TlsStream::flush() {
  const Bytes made = engine_.output();
  if (made.empty()) return;
  const bool can_send = failure_ == Error::none && !is_closing();
  const auto sent = can_send ? below_.send(made) : Result<void>();
  engine_.clear_output();
  if (!sent) fail(sent.error(), std::string(message_of(sent.error())));
}

// Order: the handshake, writes that ended, drain, shutdown, then the end of reading.
void TlsStream::deliver_pending() {
  if (failure_ != Error::none && on_handshake_) {
    loop_.invoke(Kind::connect, handshake_tag_,
                 [&] { std::exchange(on_handshake_, nullptr)(*this, failure_); });
    if (is_closing()) return;
  }
  if (failure_ == Error::none) encrypt_queue();
  if (!sent_.empty() && (failure_ != Error::none || all_left())) deliver_writes();
  if (is_closing()) return;
  if (drain_due_ && all_left()) {
    drain_due_ = false;
    if (on_drain_ && failure_ == Error::none) loop_.invoke(Kind::drain, tag_, [&] { on_drain_(*this); });
    if (is_closing()) return;
  }
  if (shutdown_requested_ && !on_handshake_ && sent_.empty() && queue_.empty()) begin_shutdown();
  if (shutdown_finished_ && sent_.empty()) {
    shutdown_finished_ = false;
    loop_.invoke(Kind::shutdown, shutdown_tag_, [&] {
      if (on_shutdown_) std::exchange(on_shutdown_, nullptr)(*this, shutdown_error_);
    });
    if (is_closing()) return;
  }
  if (failure_ != Error::none) return deliver_end(failure_);
  if (!reading_ || (unread_.empty() && !below_ended_)) return;
  const std::vector<std::byte> input = std::move(unread_);
  unread_ = {};
  receive(input);
}

void TlsStream::begin_close() {
  reading_ = false;
  unlink_pending();
  // In order, if nothing is missing: a peer that still waits for bytes must see that they are cut off.
  const bool in_order = queue_.empty() && failure_ == Error::none && !below_.is_closing();
  if (in_order && !shutdown_begun_ && engine_.is_connected()) {
    engine_.close_notify();
    (void)below_.try_write(engine_.output());
    engine_.clear_output();
  }
  if (!sent_.empty() && !all_left()) cancel_sent();
  if (!below_.is_closing()) below_.close();
}

void TlsStream::finish_close() {
  if (on_handshake_) {
    const Error error = failure_ != Error::none ? failure_ : Error::canceled;
    loop_.invoke(Kind::connect, handshake_tag_, [&] { std::exchange(on_handshake_, nullptr)(*this, error); });
  }
  fail_queue(Error::canceled);
  unlink_pending();
  deliver_writes();
  if (on_shutdown_) {
    loop_.invoke(Kind::shutdown, shutdown_tag_, [&] {
      std::exchange(on_shutdown_, nullptr)(*this, shutdown_finished_ ? shutdown_error_ : Error::canceled);
    });
  }
  unlink_pending();
}

}  // namespace refloop
