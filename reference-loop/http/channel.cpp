#include "reference-loop/http/channel.h"

#include <utility>

namespace refloop {

Channel::Channel(Loop& loop, Owner& owner, const TlsContext* tls, std::string_view host)
    : owner_(owner), tcp_(loop) {
  if (!tls) {
    tcp_.data = this;
    tcp_.set_on_drain([](Stream& stream) { of(stream).owner_.channel_drained(); });
    return;
  }
  tls_ = std::make_unique<TlsStream>(tcp_, *tls, host);
  tls_->data = this;
  tls_->set_on_drain([](TlsStream& stream) { of(stream).owner_.channel_drained(); });
}

Result<void> Channel::adopt(Socket socket) {
  if (auto adopted = tcp_.adopt(std::move(socket)); !adopted) return adopted;
  return begin();
}

// The `data` of a stream below TLS is the TLS stream.
Result<void> Channel::connect(const Address& address) {
  if (!tls_) return tcp_.connect(address, [](Stream& stream, Error error) { of(stream).connected(error); });
  return tcp_.connect(address, [](Stream& stream, Error error) {
    of(*static_cast<TlsStream*>(stream.data)).connected(error);
  });
}

void Channel::connected(Error error) {
  if (closing_) return;
  if (error == Error::none && tls_) {
    if (const auto begun = begin(); !begun) error = begun.error();
    if (error == Error::none) return;  // channel_opened() follows the handshake
  }
  open_ = error == Error::none;
  owner_.channel_opened(error);
}

Result<void> Channel::begin() {
  open_ = !tls_;
  if (!tls_) return {};
  return tls_->handshake([](TlsStream& stream, Error error) {
    Channel& channel = of(stream);
    if (channel.closing_) return;
    channel.open_ = error == Error::none;
    channel.owner_.channel_opened(error);
  });
}

void Channel::resume(const TlsSession& session) {
  if (tls_) tls_->resume(session);
}

Result<void> Channel::read_start() {
  if (tls_) {
    return tls_->read_start([](TlsStream& stream, Bytes bytes) { of(stream).owner_.channel_read(bytes); },
                            [](TlsStream& stream, Error error) { of(stream).owner_.channel_ended(error); });
  }
  return tcp_.read_start([](Stream& stream, Bytes bytes) { of(stream).owner_.channel_read(bytes); },
                         [](Stream& stream, Error error) { of(stream).owner_.channel_ended(error); });
}

void Channel::read_stop() { tls_ ? tls_->read_stop() : tcp_.read_stop(); }

Result<void> Channel::send(std::string_view bytes) {
  const Bytes raw = std::as_bytes(std::span(bytes));
  return tls_ ? tls_->send(raw) : tcp_.send(raw);
}

void Channel::shutdown() {
  const auto started = tls_ ? tls_->shutdown([](TlsStream& stream, Error) {
    if (!of(stream).closing_) of(stream).owner_.channel_shut_down();
  })
                            : tcp_.shutdown([](Stream& stream, Error) {
                                if (!of(stream).closing_) of(stream).owner_.channel_shut_down();
                              });
  if (!started) close();
}

void Channel::close() {
  if (std::exchange(closing_, true)) return;
  open_ = false;
  Handle& handle = tls_ ? static_cast<Handle&>(*tls_) : tcp_;
  handle.close([](Handle& closed) { of(closed).owner_.channel_closed(); });
}

}  // namespace refloop
