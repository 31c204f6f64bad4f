// The UDP verbs of the reference loop's player.
#include <cassert>

#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/players/refloop_status.h"

namespace tickmark::conformance {

void RefloopMachine::start_udp(Item& item) {
  auto& udp = item.object.emplace<refloop::Udp>(*loop_);
  udp.data = &item;
  const auto bound = udp.bind(*refloop::Address::parse("127.0.0.1", 0));
  const auto receiving = udp.receive_start(
      [](refloop::Udp& socket, const refloop::Datagram& datagram) {
        Item& of = item_of(socket);
        const bool right =
            is_pattern(reinterpret_cast<const char*>(datagram.bytes.data()), datagram.bytes.size(), 0);
        of.machine->fire(*of.step, right ? "" : "wrong_bytes", static_cast<long>(datagram.bytes.size()));
      },
      [](refloop::Udp& socket, refloop::Error error) {
        item_of(socket).machine->fire(*item_of(socket).step, status_name(error));
      });
  assert(bound && receiving);
}

std::string_view RefloopMachine::start_udp_send(Item& item) {
  const Step& step = *item.step;
  item.buffer.resize(static_cast<size_t>(step.bytes));
  fill_pattern(item.buffer.data(), item.buffer.size(), 0);
  const auto address = std::get<refloop::Udp>(find(step.to).object).local_address();
  assert(address);
  auto& request = item.object.emplace<refloop::DatagramRequest>();
  request.data = &item;
  return status_name(std::get<refloop::Udp>(find(step.on).object)
                         .send(request, std::as_bytes(std::span(item.buffer)), &*address,
                               [](refloop::DatagramRequest& sent, refloop::Error error) {
                                 auto& of = *static_cast<Item*>(sent.data);
                                 of.machine->fire(*of.step, status_name(error));
                               }));
}

}  // namespace tickmark::conformance
