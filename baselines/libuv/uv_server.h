#pragma once
// The libuv subject's server: one loop, one listening handle, all its connections.

#include <array>
#include <atomic>
#include <uv.h>

#include "baselines/libuv/uv_connection.h"
#include "harness/subject/listen.h"
#include "harness/subject/serve_context.h"

namespace tickmark {

class UvServer {
 public:
  UvServer(subject::ServeContext& context, bool try_write) : context_(context), try_write_(try_write) {}

  /// Serves on `reserved`, a bound socket, until the context stops it; then everything is closed.
  Expected<void> run(subject::Listener reserved);

 private:
  static void on_connection(uv_stream_t* listener, int status);
  void stop();

  subject::ServeContext& context_;
  bool try_write_;
  std::atomic<bool> stopping_{false};  ///< read by the pool: what is still queued then is not run
  uv_loop_t loop_;
  uv_tcp_t listener_;
  uv_async_t wake_;
  UvConnection* connections_ = nullptr;
  // One for the whole loop: a session is done with its bytes when on_bytes returns.
  std::array<char, 65536> read_buffer_;

  friend class UvConnection;
};

}  // namespace tickmark
