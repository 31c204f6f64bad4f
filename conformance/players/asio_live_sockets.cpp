#include "conformance/players/asio_live_sockets.h"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "conformance/players/live_sockets.h"

namespace tickmark::conformance {

struct AsioLiveSockets::Connection {
  explicit Connection(asio::ip::tcp::socket accepted) : socket(std::move(accepted)) {}

  asio::ip::tcp::socket socket;
  std::array<char, 4096> buffer{};
};

Expected<void> AsioLiveSockets::serve(int connections) {
  raise_descriptor_limit();
  if (auto listening = listen(); !listening) return listening;
  accept();
  say_ready(acceptor_.local_endpoint().port());
  while (open_ < connections) context_.run_one();
  return {};
}

Expected<void> AsioLiveSockets::listen() {
  const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
  asio::error_code error;
  acceptor_.open(any_port.protocol(), error);
  if (!error) acceptor_.bind(any_port, error);
  if (!error) acceptor_.listen(kLiveBacklog, error);
  if (error) return environment_error(fmt::format("cannot listen on a loopback port: {}", error.message()));
  return {};
}

void AsioLiveSockets::accept() {
  acceptor_.async_accept([this](asio::error_code error, asio::ip::tcp::socket socket) {
    if (!error) {
      asio::error_code ignored;
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      read(std::make_shared<Connection>(std::move(socket)));
      ++open_;
    }
    accept();
  });
}

// What is read is written before more is read; whoever fails or ends is let go with the last handler.
void AsioLiveSockets::read(const ConnectionPointer& connection) {
  const auto echo = [connection](asio::error_code error, size_t size) {
    if (error) return;
    asio::async_write(connection->socket, asio::buffer(connection->buffer.data(), size),
                      [connection](asio::error_code failed, size_t) {
                        if (!failed) read(connection);
                      });
  };
  connection->socket.async_read_some(asio::buffer(connection->buffer), echo);
}

}  // namespace tickmark::conformance
