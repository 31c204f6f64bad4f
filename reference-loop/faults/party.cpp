#include <cassert>

#include "reference-loop/faults/world.h"

namespace refloop::faults {

// Owns its bytes until its callback ran.
struct Party::Request : PlainWrite {
  std::string bytes;
  Ledger::Ticket ticket = 0;
  std::function<void()> written;
};

Party::Party(World& world) : Tcp(world.loop()), world_(world) {
  world.on_wind_up([this] { leave(); });
}

void Party::adopt_socket(Socket socket) {
  const auto adopted = adopt(std::move(socket));
  if (!world_.ledger().took("adopt", adopted)) world_.wind_up();
}

void Party::connect_to(const Address& address, std::function<void()> connected) {
  connected_ = std::move(connected);
  connect_ticket_ = world_.ledger().start("connect", this);
  const auto connecting = connect(address, [](Stream& stream, Error error) {
    Party& self = of(stream);
    self.world_.ledger().end(self.connect_ticket_, error);
    if (self.world_.fine(error)) self.connected_();
  });
  if (connecting) return;
  world_.ledger().refuse(connect_ticket_, connecting.error());
  world_.wind_up();
}

void Party::read(std::function<void()> on_data, std::function<void()> on_end) {
  on_data_ = std::move(on_data);
  on_end_ = std::move(on_end);
  if (is_closing()) return;
  const auto reading = read_start(
      [](Stream& stream, Bytes bytes) {
        Party& self = of(stream);
        self.world_.ledger().check(!self.is_closing(), "bytes came after close()");
        self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        self.on_data_();
      },
      [](Stream& stream, Error error) {
        Party& self = of(stream);
        self.world_.ledger().check(!self.is_closing(), "the end came after close()");
        self.world_.ledger().happened("read", error);
        if (self.world_.fine(error) && self.on_end_) self.on_end_();
      });
  if (reading) return;
  world_.ledger().happened("read_start", reading.error());
  world_.wind_up();
}

void Party::write_pieces(std::string_view bytes, std::size_t pieces, std::function<void()> written) {
  if (is_closing()) return;
  auto* request = new Request;
  request->bytes = bytes;
  request->written = std::move(written);
  request->ticket = world_.ledger().start("write", this);
  std::vector<Bytes> buffers;
  const Bytes all = std::as_bytes(std::span(request->bytes));
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t begin = all.size() * i / pieces;
    buffers.push_back(all.subspan(begin, all.size() * (i + 1) / pieces - begin));
  }
  const auto writing = write(*request, std::span<const Bytes>(buffers), [](WriteRequest& done, Error error) {
    const std::unique_ptr<Request> self(&static_cast<Request&>(done));
    World& world = of(*self->stream()).world_;
    world.ledger().end(self->ticket, error);
    if (world.fine(error) && self->written) self->written();
  });
  if (writing) return;
  world_.ledger().refuse(request->ticket, writing.error());
  delete request;
  world_.wind_up();
}

void Party::send_copy(std::string_view first, std::string_view second) {
  if (is_closing()) return;
  const auto sent = send(std::as_bytes(std::span(first)), std::as_bytes(std::span(second)));
  if (!world_.ledger().took("send", sent)) world_.wind_up();
}

void Party::finish(std::function<void()> finished) {
  if (is_closing()) return;
  finished_ = std::move(finished);
  shutdown_ticket_ = world_.ledger().start("shutdown", this);
  const auto stopping = shutdown([](Stream& stream, Error error) {
    Party& self = of(stream);
    self.world_.ledger().end(self.shutdown_ticket_, error);
    if (self.world_.fine(error) && self.finished_) self.finished_();
  });
  if (stopping) return;
  world_.ledger().refuse(shutdown_ticket_, stopping.error());
  world_.wind_up();
}

void Party::leave() {
  if (is_closing()) return;
  close([](Handle& handle) {
    Party& self = static_cast<Party&>(handle);
    self.world_.ledger().happened("close");
    self.world_.ledger().closed(&self);
  });
}

Host::Host(World& world) : Listener(world.loop()), world_(world) {
  world.on_wind_up([this] {
    if (is_closing()) return;
    close([](Handle& handle) { static_cast<Host&>(handle).world_.ledger().happened("close"); });
  });
}

bool Host::open(Guest on_guest) {
  on_guest_ = std::move(on_guest);
  const auto listening =
      listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener& listener, Socket socket) {
        Host& self = static_cast<Host&>(listener);
        self.world_.ledger().check(!self.is_closing(), "a connection came after close()");
        self.world_.ledger().happened("accept");
        Party& guest = *self.guests_.emplace_back(std::make_unique<Party>(self.world_));
        guest.adopt_socket(std::move(socket));
        if (!self.world_.is_winding_up()) self.on_guest_(guest);
      });
  if (world_.ledger().took("listen", listening)) return true;
  world_.wind_up();
  return false;
}

}  // namespace refloop::faults
