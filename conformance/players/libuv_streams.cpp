// The stream verbs of the libuv player.
#include <unistd.h>

#include "conformance/players/libuv_machine.h"
#include "conformance/players/libuv_status.h"
#include "conformance/players/player.h"

namespace tickmark::conformance {

namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  check_ok(uv_ip4_addr("127.0.0.1", port, &address));
  return address;
}

}  // namespace

void UvMachine::start_pair(Item& item) {
  Pair& pair = pairs_[item.step];
  const std::string& label = item.step->label;
  const bool is_tcp = item.step->verb == Verb::tcp_pair;
  for (Item** end : {&pair.listener, &pair.client, &pair.server}) {
    *end = &make(item.step);
    (*end)->has_handle = true;
    check_ok(is_tcp ? uv_tcp_init(&loop_, &(*end)->handle.tcp)
                    : uv_pipe_init(&loop_, &(*end)->handle.pipe, 0));
    (*end)->handle.handle.data = *end;
  }
  names_[label + ".client"] = pair.client;
  names_[label + ".server"] = pair.server;
  is_tcp ? start_tcp_pair(pair) : start_pipe_pair(pair);
}

void UvMachine::start_tcp_pair(Pair& pair) {
  sockaddr_in address = loopback(0);
  check_ok(uv_tcp_bind(&pair.listener->handle.tcp, reinterpret_cast<const sockaddr*>(&address), 0));
  check_ok(uv_listen(stream(*pair.listener), 1, on_connection));
  int size = sizeof address;
  check_ok(uv_tcp_getsockname(&pair.listener->handle.tcp, reinterpret_cast<sockaddr*>(&address), &size));
  check_ok(uv_tcp_connect(&pair.client->request.connect, &pair.client->handle.tcp,
                          reinterpret_cast<const sockaddr*>(&address), on_pair_connect));
}

// The file of the socket is gone when the listener is closed.
void UvMachine::start_pipe_pair(Pair& pair) {
  const std::string path = fresh_socket_path();
  check_ok(uv_pipe_bind(&pair.listener->handle.pipe, path.c_str()));
  check_ok(uv_listen(stream(*pair.listener), 1, on_connection));
  uv_pipe_connect(&pair.client->request.connect, &pair.client->handle.pipe, path.c_str(), on_pair_connect);
}

void UvMachine::on_connection(uv_stream_t* listener, int status) {
  check_ok(status);
  auto* item = static_cast<Item*>(listener->data);
  UvMachine& machine = *item->machine;
  check_ok(uv_accept(listener, machine.stream(*machine.pairs_[item->step].server)));
  machine.pair_is_up(*item);
}

void UvMachine::on_pair_connect(uv_connect_t* request, int status) {
  check_ok(status);
  auto* item = static_cast<Item*>(request->data);
  item->machine->pair_is_up(*item);
}

void UvMachine::pair_is_up(Item& item) {
  Pair& pair = pairs_[item.step];
  if (--pair.missing > 0) return;
  uv_close(handle(*pair.listener), nullptr);
  fire(*item.step);
}

void UvMachine::start_connect(Item& item) {
  check_ok(uv_tcp_init(&loop_, &item.handle.tcp));
  item.has_handle = true;
  item.handle.handle.data = &item;
  const sockaddr_in address = loopback(item.step->refused ? refusing_port() : sink_port());
  check_ok(uv_tcp_connect(&item.request.connect, &item.handle.tcp,
                          reinterpret_cast<const sockaddr*>(&address), [](uv_connect_t* request, int status) {
                            auto* of = static_cast<Item*>(request->data);
                            of->machine->fire(*of->step, status_name(status));
                          }));
}

std::string_view UvMachine::start_write(Item& item) {
  Item& on = find(item.step->on);
  item.buffer.resize(static_cast<size_t>(item.step->bytes));
  fill_pattern(item.buffer.data(), item.buffer.size(), on.bytes_written);
  on.bytes_written += item.buffer.size();
  const uv_buf_t buffer = uv_buf_init(item.buffer.data(), static_cast<unsigned>(item.buffer.size()));
  const int status =
      uv_write(&item.request.write, stream(on), &buffer, 1, [](uv_write_t* request, int result) {
        auto* of = static_cast<Item*>(request->data);
        of->machine->fire(*of->step, status_name(result));
      });
  return status_name(status);
}

void UvMachine::on_allocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  auto* item = static_cast<Item*>(handle->data);
  std::vector<char>& memory = item->machine->read_buffer_;
  *buffer = uv_buf_init(memory.data(), static_cast<unsigned>(memory.size()));
}

void UvMachine::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  auto* item = static_cast<Item*>(stream->data);
  UvMachine& machine = *item->machine;
  if (size == 0) return;  // EAGAIN
  if (size < 0) {
    machine.fire_eof(*item->reader, size == UV_EOF ? "" : "error");
    return;
  }
  const bool right = is_pattern(buffer->base, static_cast<size_t>(size), item->bytes_read);
  item->bytes_read += static_cast<uint64_t>(size);
  machine.fire(*item->reader, right ? "" : "wrong_bytes", static_cast<long>(size));
}

// What a partial write left out is sent by nobody: the bytes that follow go on where it ended.
std::string_view UvMachine::try_write(const Step& step) {
  Item& on = find(step.target);
  std::string bytes(static_cast<size_t>(step.bytes), '\0');
  fill_pattern(bytes.data(), bytes.size(), on.bytes_written);
  const uv_buf_t buffer = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(stream(on), &buffer, 1);
  if (written > 0) on.bytes_written += static_cast<uint64_t>(written);
  return call_status(written);
}

void UvMachine::stop_reading(Item& item) {
  if (item.step->verb == Verb::udp)
    check_ok(uv_udp_recv_stop(&item.handle.udp));
  else
    uv_read_stop(stream(item));
}

void UvMachine::start_read(const Step& step) {
  Item& on = find(step.on);
  on.reader = &step;
  check_ok(uv_read_start(stream(on), on_allocate, on_read));
}

std::string_view UvMachine::start_shutdown(Item& item) {
  const int status = uv_shutdown(&item.request.shutdown, stream(find(item.step->on)),
                                 [](uv_shutdown_t* request, int result) {
                                   auto* of = static_cast<Item*>(request->data);
                                   of->machine->fire(*of->step, status_name(result));
                                 });
  return status_name(status);
}

}  // namespace tickmark::conformance
