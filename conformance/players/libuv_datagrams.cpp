// The UDP verbs of the libuv player.
#include "conformance/players/libuv_machine.h"
#include "conformance/players/libuv_status.h"
#include "conformance/players/player.h"

namespace tickmark::conformance {

void UvMachine::start_udp(Item& item) {
  check_ok(uv_udp_init(&loop_, &item.handle.udp));
  item.has_handle = true;
  item.handle.handle.data = &item;
  sockaddr_in address{};
  check_ok(uv_ip4_addr("127.0.0.1", 0, &address));
  check_ok(uv_udp_bind(&item.handle.udp, reinterpret_cast<const sockaddr*>(&address), 0));
  check_ok(uv_udp_recv_start(&item.handle.udp, on_allocate, on_datagram));
}

void UvMachine::on_datagram(uv_udp_t* handle, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
                            unsigned) {
  if (from == nullptr) return;  // nothing more to receive
  auto* item = static_cast<Item*>(handle->data);
  const bool right = is_pattern(buffer->base, static_cast<size_t>(size), 0);
  item->machine->fire(*item->step, right ? "" : "wrong_bytes", static_cast<long>(size));
}

std::string_view UvMachine::start_udp_send(Item& item) {
  const Step& step = *item.step;
  item.buffer.resize(static_cast<size_t>(step.bytes));
  fill_pattern(item.buffer.data(), item.buffer.size(), 0);
  const uv_buf_t buffer = uv_buf_init(item.buffer.data(), static_cast<unsigned>(item.buffer.size()));
  sockaddr_in address{};
  int size = sizeof address;
  check_ok(uv_udp_getsockname(&find(step.to).handle.udp, reinterpret_cast<sockaddr*>(&address), &size));
  const auto done = [](uv_udp_send_t* request, int status) {
    auto* of = static_cast<Item*>(request->data);
    of->machine->fire(*of->step, status_name(status));
  };
  return status_name(uv_udp_send(&item.request.udp_send, &find(step.on).handle.udp, &buffer, 1,
                                 reinterpret_cast<const sockaddr*>(&address), done));
}

}  // namespace tickmark::conformance
