#pragma once
// The workload sockets, a byte-stream echo, served in the very io_context that Asio's player plays in (`play
// --serve sockets`): the rules under load.

#include <asio.hpp>
#include <memory>

#include "harness/base/error.h"

namespace tickmark::conformance {

class AsioLiveSockets {
 public:
  AsioLiveSockets() = default;
  ~AsioLiveSockets() = default;  // never: it lives until the process ends, with its clients
  AsioLiveSockets(const AsioLiveSockets&) = delete;
  AsioLiveSockets& operator=(const AsioLiveSockets&) = delete;

  /// Says on stdout where it listens, and returns when so many connections are open.
  Expected<void> serve(int connections);
  asio::io_context& context() { return context_; }

 private:
  struct Connection;
  using ConnectionPointer = std::shared_ptr<Connection>;

  Expected<void> listen();
  void accept();
  static void read(const ConnectionPointer& connection);

  asio::io_context context_{1};
  asio::ip::tcp::acceptor acceptor_{context_};
  int open_ = 0;
};

}  // namespace tickmark::conformance
