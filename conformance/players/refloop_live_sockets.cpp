#include "conformance/players/refloop_live_sockets.h"

#include <fmt/format.h>
#include <utility>

#include "conformance/players/live_sockets.h"
#include "reference-loop/address.h"
#include "reference-loop/tcp.h"

namespace tickmark::conformance {

namespace {

void close_and_delete(refloop::Stream& stream) {
  if (stream.is_closing()) return;
  stream.close([](refloop::Handle& handle) { delete static_cast<refloop::Tcp*>(&handle); });
}

void echo(refloop::Stream& stream, refloop::Bytes bytes) {
  if (!stream.send(bytes)) close_and_delete(stream);
}

}  // namespace

RefloopLiveSockets::RefloopLiveSockets(std::unique_ptr<refloop::Loop> loop)
    : loop_(std::move(loop)), listener_(*loop_) {
  listener_.data = this;
}

Expected<void> RefloopLiveSockets::serve(int connections) {
  raise_descriptor_limit();
  const auto listening =
      listener_.listen(*refloop::Address::parse("127.0.0.1", 0), {.backlog = kLiveBacklog},
                       [](refloop::Listener& from, refloop::Socket socket) {
                         static_cast<RefloopLiveSockets*>(from.data)->open(std::move(socket));
                       });
  if (!listening) {
    return environment_error(
        fmt::format("cannot listen on a loopback port: {}", refloop::message_of(listening.error())));
  }
  say_ready(listener_.local_address()->port());
  while (open_ < connections) loop_->run(refloop::RunMode::once);
  listener_.unref();
  return {};
}

void RefloopLiveSockets::open(refloop::Socket socket) {
  auto* connection = new refloop::Tcp(*loop_);
  connection->unref();
  if (!connection->adopt(std::move(socket)) ||
      !connection->read_start(echo,
                              [](refloop::Stream& stream, refloop::Error) { close_and_delete(stream); }))
    return close_and_delete(*connection);
  ++open_;
}

}  // namespace tickmark::conformance
