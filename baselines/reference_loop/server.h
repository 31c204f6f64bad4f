#pragma once
// A server on a reference loop, for whoever owns the loop: the reference_loop subject, each worker of the
// cluster, and the conformance player that judges the loop while it serves.

#include <atomic>

#include "baselines/reference_loop/loop_connection.h"
#include "harness/subject/listen.h"
#include "harness/subject/serve_context.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"

namespace tickmark {

/// The option `backend`: epoll, io_uring or auto, which is io_uring where the kernel allows it and is
/// resolved here. Usage error for other values; environment error where io_uring is asked for and refused.
Expected<refloop::BackendKind> backend_option(const Parameters& options);
/// The same, the option `pool`, and `files`: pool or ring, which needs io_uring (and is pool where `auto` is
/// not).
Expected<refloop::LoopOptions> loop_options(const subject::ServeContext& context);
/// What `backend=auto` and, with it, `files=ring` have become, for the ready line; nothing if the options
/// said it.
Parameters chosen_backend(const subject::ServeContext& context, const refloop::LoopOptions& options);

class Server {
 public:
  /// Both are borrowed and must outlive the server, and the server the last turn of the loop that sees it.
  Server(refloop::Loop& loop, subject::ServeContext& context)
      : loop_(loop), context_(context), listener_(loop) {
    listener_.data = this;
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Accepts from a socket that listens.
  Expected<void> listen(subject::Listener listener);
  /// Serves a connection somebody else has accepted.
  void serve(refloop::Socket socket) { LoopConnection::start(*this, std::move(socket)); }
  /// On the loop's thread: closes all. When the loop runs out of work, the server may be destroyed.
  void stop();

 private:
  refloop::Loop& loop_;
  subject::ServeContext& context_;
  refloop::Listener listener_;
  LoopConnection* connections_ = nullptr;
  std::atomic<bool> stopping_{false};  ///< read by the pool: what is still queued then is not run

  friend class LoopConnection;
};

}  // namespace tickmark
