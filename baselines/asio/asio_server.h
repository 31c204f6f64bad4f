#pragma once
// The Asio subject's server: one io_context run by one thread, one acceptor, all its connections, and the
// pool for what would block.

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>

#include "baselines/asio/asio_connection.h"
#include "harness/subject/listen.h"
#include "harness/subject/serve_context.h"

namespace tickmark {

class AsioServer {
 public:
  AsioServer(subject::ServeContext& context, size_t pool_threads)
      : context_(context), acceptor_(io_), retry_(io_), pool_(pool_threads) {}

  /// Serves on `listener` until the context stops it; then everything is closed.
  Expected<void> run(subject::Listener listener);

 private:
  void accept();
  void stop();

  subject::ServeContext& context_;
  std::atomic<bool> stopping_{false};  ///< read by the pool: what is still queued then is not run
  AsioConnection* connections_ = nullptr;
  asio::io_context io_{1};  // the hint: one thread runs it
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  asio::thread_pool pool_;

  friend class AsioConnection;
};

}  // namespace tickmark
