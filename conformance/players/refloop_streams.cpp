// The stream verbs of the reference loop's player.
#include <cassert>

#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/players/refloop_status.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance {

namespace {

refloop::Address loopback(uint16_t port) {
  const auto address = refloop::Address::parse("127.0.0.1", port);
  assert(address);
  return *address;
}

}  // namespace

void RefloopMachine::start_pair(Item& item) {
  const Step& step = *item.step;
  Pair& pair = pairs_[&step];
  pair.listener = &item;
  pair.client = &make(&step);
  pair.server = &make(&step);
  names_[step.label + ".client"] = pair.client;
  names_[step.label + ".server"] = pair.server;
  auto& listener = item.object.emplace<refloop::Listener>(*loop_);
  auto& client = pair.client->object.emplace<refloop::Tcp>(*loop_);
  pair.server->object.emplace<refloop::Tcp>(*loop_).data = pair.server;
  listener.data = &item;
  client.data = pair.client;
  const auto listening =
      listener.listen(loopback(0), {.backlog = 1}, [](refloop::Listener& from, refloop::Socket socket) {
        Item& of = item_of(from);
        Item& server = *of.machine->pairs_[of.step].server;
        const auto adopted = std::get<refloop::Tcp>(server.object).adopt(std::move(socket));
        assert(adopted);
        of.machine->pair_is_up(*of.step);
      });
  assert(listening);
  const auto address = listener.local_address();
  assert(address);
  const auto connecting = client.connect(*address, [](refloop::Stream& tcp, refloop::Error error) {
    assert(error == refloop::Error::none);
    item_of(tcp).machine->pair_is_up(*item_of(tcp).step);
  });
  assert(connecting);
}

void RefloopMachine::pair_is_up(const Step& step) {
  Pair& pair = pairs_[&step];
  if (--pair.missing > 0) return;
  std::get<refloop::Listener>(pair.listener->object).close();
  fire(step);
}

// What a scenario needs and must not see; in virtual time a part of the simulated network.
uint16_t RefloopMachine::sink() const { return loop_->simulation() ? refloop::kDiscardPort : sink_port(); }

void RefloopMachine::start_connect(Item& item) {
  auto& tcp = item.object.emplace<refloop::Tcp>(*loop_);
  tcp.data = &item;
  const uint16_t port = item.step->refused ? refusing_port() : sink();
  const auto connecting = tcp.connect(loopback(port), [](refloop::Stream& connected, refloop::Error error) {
    Item& of = item_of(connected);
    of.machine->fire(*of.step, status_name(error));
  });
  assert(connecting);
}

std::string_view RefloopMachine::start_write(Item& item) {
  Item& on = find(item.step->on);
  item.buffer.resize(static_cast<size_t>(item.step->bytes));
  fill_pattern(item.buffer.data(), item.buffer.size(), on.bytes_written);
  on.bytes_written += item.buffer.size();
  auto& write = item.object.emplace<refloop::PlainWrite>();
  write.data = &item;
  return status_name(std::get<refloop::Tcp>(on.object).write(
      write, std::as_bytes(std::span(item.buffer)), [](refloop::WriteRequest& request, refloop::Error error) {
        auto& of = *static_cast<Item*>(request.data);
        of.machine->fire(*of.step, status_name(error));
      }));
}

std::string_view RefloopMachine::start_read(const Step& step) {
  Item& on = find(step.on);
  on.reader = &step;
  const auto on_read = [](refloop::Stream& tcp, refloop::Bytes bytes) {
    Item& of = item_of(tcp);
    const bool right = is_pattern(reinterpret_cast<const char*>(bytes.data()), bytes.size(), of.bytes_read);
    of.bytes_read += bytes.size();
    of.machine->fire(*of.reader, right ? "" : "wrong_bytes", static_cast<long>(bytes.size()));
  };
  const auto on_end = [](refloop::Stream& tcp, refloop::Error error) {
    Item& of = item_of(tcp);
    of.machine->fire_eof(*of.reader, status_name(error));
  };
  return status_name(std::get<refloop::Tcp>(on.object).read_start(on_read, on_end));
}

std::string_view RefloopMachine::start_shutdown(const Step& step) {
  Item& on = find(step.on);
  on.shutter = &step;
  return status_name(
      std::get<refloop::Tcp>(on.object).shutdown([](refloop::Stream& tcp, refloop::Error error) {
        Item& of = item_of(tcp);
        of.machine->fire(*of.shutter, status_name(error));
      }));
}

}  // namespace tickmark::conformance
