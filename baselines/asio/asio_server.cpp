#include "baselines/asio/asio_server.h"

#include <asio/post.hpp>
#include <fmt/format.h>

namespace tickmark {

Expected<void> AsioServer::run(subject::Listener listener) {
  std::error_code error;
  acceptor_.assign(asio::ip::tcp::v4(), listener.fd.release(), error);
  if (error) {
    return environment_error(
        fmt::format("cannot accept on port {}: {}; choose another --port", listener.port, error.message()));
  }
  accept();
  context_.on_stop([this] { asio::post(io_, [this] { stop(); }); });
  context_.ready(listener.port);
  io_.run();
  context_.end_watch();
  pool_.join();
  return {};
}

void AsioServer::accept() {
  acceptor_.async_accept([this](std::error_code error, asio::ip::tcp::socket socket) {
    if (stopping_) return;
    if (!error) std::make_shared<AsioConnection>(*this, std::move(socket))->start();
    if (error != asio::error::no_descriptors) return accept();
    // The queue keeps them until some connection ends.
    retry_.expires_after(10ms);
    retry_.async_wait([this](std::error_code canceled) {
      if (!canceled) accept();
    });
  });
}

void AsioServer::stop() {
  if (stopping_.exchange(true)) return;
  std::error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (AsioConnection* connection = connections_; connection; connection = connection->next_)
    connection->abort();
}

}  // namespace tickmark
