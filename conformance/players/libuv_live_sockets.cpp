#include "conformance/players/libuv_live_sockets.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <string>

#include "conformance/players/libuv_status.h"
#include "conformance/players/live_sockets.h"

namespace tickmark::conformance {

namespace {

// In `data` of each of its handles.
struct Mark {
  UvLiveSockets* sockets;
};
Mark mark{nullptr};

// What the socket would not take at once.
struct Rest {
  uv_write_t request;
  std::string bytes;
};

void close_and_delete(uv_stream_t* stream) {
  uv_close(reinterpret_cast<uv_handle_t*>(stream),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); });
}

void echo(uv_stream_t* stream, char* bytes, size_t size) {
  const uv_buf_t all = uv_buf_init(bytes, static_cast<unsigned>(size));
  const int taken = uv_try_write(stream, &all, 1);
  if (taken < 0 && taken != UV_EAGAIN) return close_and_delete(stream);
  const auto done = static_cast<size_t>(taken < 0 ? 0 : taken);
  if (done == size) return;
  auto* rest = new Rest{{}, std::string(bytes + done, size - done)};
  rest->request.data = rest;
  const uv_buf_t left = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
  check_ok(uv_write(&rest->request, stream, &left, 1,
                    [](uv_write_t* request, int) { delete static_cast<Rest*>(request->data); }));
}

}  // namespace

UvLiveSockets::UvLiveSockets() { check_ok(uv_loop_init(&loop_)); }

bool UvLiveSockets::owns(const uv_handle_t* handle) { return handle->data == &mark; }

Expected<void> UvLiveSockets::serve(int connections) {
  raise_descriptor_limit();
  mark.sockets = this;
  check_ok(uv_tcp_init(&loop_, &listener_));
  listener_.data = &mark;
  sockaddr_in address{};
  check_ok(uv_ip4_addr("127.0.0.1", 0, &address));
  auto* stream = reinterpret_cast<uv_stream_t*>(&listener_);
  if (const int error = uv_tcp_bind(&listener_, reinterpret_cast<const sockaddr*>(&address), 0); error < 0)
    return environment_error(fmt::format("cannot bind a loopback port: {}", uv_strerror(error)));
  if (const int error = uv_listen(stream, kLiveBacklog, on_connection); error < 0)
    return environment_error(fmt::format("cannot listen on a loopback port: {}", uv_strerror(error)));
  int size = sizeof address;
  check_ok(uv_tcp_getsockname(&listener_, reinterpret_cast<sockaddr*>(&address), &size));
  say_ready(ntohs(address.sin_port));
  while (open_ < connections) uv_run(&loop_, UV_RUN_ONCE);
  playing_ = true;
  uv_walk(
      &loop_, [](uv_handle_t* handle, void*) { uv_unref(handle); }, nullptr);
  return {};
}

void UvLiveSockets::on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  UvLiveSockets& self = *mark.sockets;
  auto* connection = new uv_tcp_t;
  check_ok(uv_tcp_init(&self.loop_, connection));
  connection->data = &mark;
  auto* stream = reinterpret_cast<uv_stream_t*>(connection);
  if (self.playing_) uv_unref(reinterpret_cast<uv_handle_t*>(connection));
  if (uv_accept(listener, stream) < 0) return close_and_delete(stream);
  uv_tcp_nodelay(connection, 1);
  const auto allocate = [](uv_handle_t*, size_t, uv_buf_t* buffer) {
    auto& bytes = mark.sockets->buffer_;
    *buffer = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
  };
  check_ok(uv_read_start(stream, allocate, on_read));
  ++self.open_;
}

void UvLiveSockets::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  if (size < 0)
    close_and_delete(stream);
  else if (size > 0)
    echo(stream, buffer->base, static_cast<size_t>(size));
}

}  // namespace tickmark::conformance
