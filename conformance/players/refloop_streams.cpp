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

refloop::Stream& RefloopMachine::stream_of(Item& item) {
  if (auto* pipe = std::get_if<refloop::Pipe>(&item.object)) return *pipe;
  return std::get<refloop::Tcp>(item.object);
}

void RefloopMachine::start_pair(Item& item) {
  if (item.step->verb == Verb::tcp_pair) return start_pair_of<refloop::Tcp>(item, loopback(0));
  const auto address = refloop::Address::unix_path(fresh_socket_path());
  assert(address);
  start_pair_of<refloop::Pipe>(item, *address);
}

template <typename End>
void RefloopMachine::start_pair_of(Item& item, const refloop::Address& address) {
  const Step& step = *item.step;
  Pair& pair = pairs_[&step];
  pair.listener = &item;
  pair.client = &make(&step);
  pair.server = &make(&step);
  names_[step.label + ".client"] = pair.client;
  names_[step.label + ".server"] = pair.server;
  auto& listener = item.object.emplace<refloop::Listener>(*loop_);
  auto& client = pair.client->object.emplace<End>(*loop_);
  pair.server->object.emplace<End>(*loop_).data = pair.server;
  listener.data = &item;
  client.data = pair.client;
  const auto listening =
      listener.listen(address, {.backlog = 1}, [](refloop::Listener& from, refloop::Socket socket) {
        Item& of = item_of(from);
        Item& server = *of.machine->pairs_[of.step].server;
        const auto adopted = std::get<End>(server.object).adopt(std::move(socket));
        assert(adopted);
        of.machine->pair_is_up(*of.step);
      });
  assert(listening);
  const auto peer = listener.local_address();
  assert(peer);
  const auto connecting = client.connect(*peer, [](refloop::Stream& connected, refloop::Error error) {
    assert(error == refloop::Error::none);
    item_of(connected).machine->pair_is_up(*item_of(connected).step);
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
  return status_name(stream_of(on).write(write, std::as_bytes(std::span(item.buffer)),
                                         [](refloop::WriteRequest& request, refloop::Error error) {
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
  return status_name(stream_of(on).read_start(on_read, on_end));
}

std::string_view RefloopMachine::start_shutdown(const Step& step) {
  Item& on = find(step.on);
  const auto accepted = stream_of(on).shutdown([](refloop::Stream& tcp, refloop::Error error) {
    Item& of = item_of(tcp);
    of.machine->fire(*of.shutter, status_name(error));
  });
  if (accepted) on.shutter = &step;
  return status_name(accepted);
}

// What a partial write left out is sent by nobody: the bytes that follow go on where it ended.
std::string_view RefloopMachine::try_write(const Step& step) {
  Item& on = find(step.target);
  std::string bytes(static_cast<size_t>(step.bytes), '\0');
  fill_pattern(bytes.data(), bytes.size(), on.bytes_written);
  const auto written = stream_of(on).try_write(std::as_bytes(std::span(bytes)));
  if (!written) return written.error() == refloop::Error::again ? "again" : "error";
  on.bytes_written += *written;
  return "ok";
}

void RefloopMachine::stop_reading(Item& item) {
  if (auto* udp = std::get_if<refloop::Udp>(&item.object))
    udp->receive_stop();
  else
    stream_of(item).read_stop();
}

}  // namespace tickmark::conformance
