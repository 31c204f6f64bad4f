#include "baselines/libuv/uv_server.h"

#include <cassert>
#include <fmt/format.h>

namespace tickmark {

Expected<void> UvServer::run(subject::Listener reserved) {
  uv_loop_init(&loop_);
  uv_tcp_init(&loop_, &listener_);
  uv_async_init(&loop_, &wake_, [](uv_async_t* wake) { static_cast<UvServer*>(wake->data)->stop(); });
  listener_.data = wake_.data = this;
  auto* stream = reinterpret_cast<uv_stream_t*>(&listener_);
  uv_tcp_open(&listener_, reserved.fd.release());
  const int error = uv_listen(stream, subject::kBacklog, on_connection);
  if (error == 0) {
    context_.on_stop([this] { uv_async_send(&wake_); });
    context_.ready(reserved.port);
  } else {
    stop();
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  context_.end_watch();
  [[maybe_unused]] const int busy = uv_loop_close(&loop_);
  assert(busy == 0 && "a handle was left open");
  if (error == 0) return {};
  return environment_error(
      fmt::format("cannot listen on port {}: {}; choose another --port", reserved.port, uv_strerror(error)));
}

void UvServer::on_connection(uv_stream_t* listener, int status) {
  if (status == 0) UvConnection::accept(*static_cast<UvServer*>(listener->data), listener);
}

void UvServer::stop() {
  if (stopping_.exchange(true)) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&listener_), nullptr);
  for (UvConnection* connection = connections_; connection; connection = connection->next_)
    connection->abort();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
}

}  // namespace tickmark
