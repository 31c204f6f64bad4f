// TLS on TCP, both ends in one loop.
#include <array>
#include <deque>
#include <utility>

#include "reference-loop/faults/scenario.h"
#include "reference-loop/tls/test_certificates.h"
#include "reference-loop/tls/tls_stream.h"

namespace refloop::faults {
namespace {

// Older than the TLS on it, and with it to the end.
struct Wire {
  explicit Wire(Loop& loop) : tcp(loop) {}
  Tcp tcp;
};

// A TLS connection that enters in the ledger what it was asked for and what became of it.
class SecureParty : private Wire, public TlsStream {
 public:
  SecureParty(World& world, const TlsContext& context, std::string_view host = {})
      : Wire(world.loop()), TlsStream(tcp, context, host), world_(world) {
    world.on_wind_up([this] { leave(); });
  }

  std::function<void()> on_agreed;
  std::function<void()> on_data;
  std::function<void()> on_end;
  std::string received;

  void adopt_socket(Socket socket) {
    if (!world_.ledger().took("adopt", tcp.adopt(std::move(socket)))) return world_.wind_up();
    agree();
  }
  void connect_to(const Address& address) {
    connect_ticket_ = world_.ledger().start("connect", this);
    const auto connecting = tcp.connect(address, [](Stream& stream, Error error) {
      SecureParty& self = of(*static_cast<TlsStream*>(stream.data));
      self.world_.ledger().end(self.connect_ticket_, error);
      if (self.world_.fine(error)) self.agree();
    });
    if (!connecting) refuse(connect_ticket_, connecting.error());
  }
  void say(std::string_view text) {
    if (is_closing()) return;
    Request& request = requests_.emplace_back();
    request.ticket = world_.ledger().start("write", this);
    request.data = this;
    const auto writing = write(request, bytes_of(text), [](TlsWriteRequest& done, Error error) {
      World& world = static_cast<SecureParty*>(done.data)->world_;
      world.ledger().end(static_cast<Request&>(done).ticket, error);
      world.fine(error);
    });
    if (!writing) refuse(request.ticket, writing.error());
  }
  void send_copy(std::string_view text) {
    if (is_closing()) return;
    if (!world_.ledger().took("send", send(bytes_of(text)))) world_.wind_up();
  }
  void finish() {
    if (is_closing()) return;
    shutdown_ticket_ = world_.ledger().start("shutdown", this);
    const auto stopping = shutdown([](TlsStream& stream, Error error) {
      SecureParty& self = of(stream);
      self.world_.ledger().end(self.shutdown_ticket_, error);
      self.world_.fine(error);
    });
    if (!stopping) refuse(shutdown_ticket_, stopping.error());
  }
  void leave() {
    if (is_closing()) return;
    close([](Handle& handle) {
      SecureParty& self = static_cast<SecureParty&>(handle);
      self.world_.ledger().happened("close");
      self.world_.ledger().closed(&self);
    });
  }

 private:
  struct Request : TlsWriteRequest {
    Ledger::Ticket ticket = 0;
  };
  static SecureParty& of(TlsStream& stream) { return static_cast<SecureParty&>(stream); }
  static Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

  void refuse(Ledger::Ticket ticket, Error error) {
    world_.ledger().refuse(ticket, error);
    world_.wind_up();
  }
  void agree() {
    handshake_ticket_ = world_.ledger().start("handshake", this);
    const auto agreeing = handshake([](TlsStream& stream, Error error) {
      SecureParty& self = of(stream);
      self.world_.ledger().end(self.handshake_ticket_, error);
      if (!self.world_.fine(error)) return;
      self.read();
      if (self.on_agreed) self.on_agreed();
    });
    if (!agreeing) refuse(handshake_ticket_, agreeing.error());
  }
  void read() {
    const auto reading = read_start(
        [](TlsStream& stream, Bytes bytes) {
          SecureParty& self = of(stream);
          self.world_.ledger().check(!self.is_closing(), "bytes came after close()");
          self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          self.on_data();
        },
        [](TlsStream& stream, Error error) {
          SecureParty& self = of(stream);
          self.world_.ledger().check(!self.is_closing(), "the end came after close()");
          self.world_.ledger().happened("read", error);
          if (self.world_.fine(error)) self.on_end();
        });
    if (!world_.ledger().took("read_start", reading)) world_.wind_up();
  }

  World& world_;
  std::deque<Request> requests_;
  Ledger::Ticket connect_ticket_ = 0;
  Ledger::Ticket handshake_ticket_ = 0;
  Ledger::Ticket shutdown_ticket_ = 0;
};

}  // namespace

// Two small messages and one that fits nowhere, there and back, then both ends finish.
void secure_echo(World& world) {
  const TestPki& pki = TestPki::instance();
  const TlsContext trusting = TlsContext::client(pki.trusting()).value();
  const TlsContext known = TlsContext::server(pki.server.options()).value();
  const std::string bytes = pattern(200'000);
  constexpr std::array<std::size_t, 3> kEnds = {100, 200, 200'000};

  struct Door : Listener {
    Door(World& its_world, const TlsContext& context)
        : Listener(its_world.loop()), guest(its_world, context) {
      its_world.on_wind_up([this] {
        if (!is_closing()) close();
      });
    }
    SecureParty guest;
  } door(world, known);
  SecureParty client(world, trusting, "localhost");
  SecureParty& guest = door.guest;
  guest.on_data = [&] { guest.send_copy(std::exchange(guest.received, {})); };
  guest.on_end = [&] { guest.finish(); };

  std::size_t said = 0;
  const auto say = [&] {
    const std::size_t begin = said == 0 ? 0 : kEnds[said - 1];
    client.say(std::string_view(bytes).substr(begin, kEnds[said++] - begin));
  };
  client.on_agreed = say;
  client.on_data = [&] {
    if (client.received.size() < kEnds[said - 1]) return;
    said < kEnds.size() ? say() : client.finish();
  };
  client.on_end = [&] { world.wind_up(); };

  const auto listening =
      door.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener& listener, Socket socket) {
        static_cast<Door&>(listener).guest.adopt_socket(std::move(socket));
      });
  const bool open = world.ledger().took("listen", listening);
  const auto address = open ? door.local_address() : failure(Error::not_connected);
  if (address)
    client.connect_to(*address);
  else
    world.wind_up();
  if (open) world.ledger().took("local_address", address);
  world.run();
  world.ledger().check(bytes.starts_with(client.received), "other bytes came back than were sent");
}

}  // namespace refloop::faults
