// Connections: every verb of a stream, on loopback, both ends in one loop.
#include <sys/socket.h>

#include "reference-loop/faults/scenario.h"

namespace refloop::faults {
namespace {

// Where the host listens; winds up if nobody can say.
std::optional<Address> address_of(World& world, Host& host) {
  const auto address = host.local_address();
  if (world.ledger().took("local_address", address)) return *address;
  world.wind_up();
  return std::nullopt;
}

// Only what is on its way out: a small receive buffer would bring TCP's own timers into play.
void limit_send_buffer(int fd) {
  const int bytes = 64 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

// A port of loopback on which nobody listens, for as long as this lives.
struct DeafPort {
  Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Address address = Address::parse("127.0.0.1", 0).value();
  DeafPort() {
    (void)::bind(socket.fd(), address.raw(), address.size());
    sockaddr_in name{};
    socklen_t size = sizeof(name);
    ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&name), &size);
    address = Address::parse("127.0.0.1", ntohs(name.sin_port)).value();
  }
  ~DeafPort() { ::close(socket.release()); }
};

}  // namespace

// Four messages there and back, one after the other, then both ends finish.
void echo(World& world) {
  Host host(world);
  Party client(world);
  constexpr std::size_t kMessage = 100;
  const std::string bytes = pattern(4 * kMessage);
  std::size_t asked = 0;
  const bool open = host.open([&](Party& guest) {
    guest.read(
        [&] {
          const std::string_view all = guest.received;
          if (all.size() < kMessage) return;
          guest.send_copy(all.substr(0, all.size() / 2), all.substr(all.size() / 2));
          guest.received.clear();
        },
        [&] { guest.finish(); });
  });
  const auto address = open ? address_of(world, host) : std::nullopt;
  const auto ask = [&] {
    const std::size_t number = asked / kMessage;
    asked += kMessage;
    client.write_pieces(std::string_view(bytes).substr(number * kMessage, kMessage), 1 + number % 2);
  };
  if (address) {
    client.connect_to(*address, [&] {
      const bool is_set = world.ledger().took("set_nodelay", client.set_nodelay(true));
      const bool is_known = world.ledger().took("peer_of", Address::peer_of(client.fd()));
      is_set&& is_known ? ask() : world.wind_up();
      client.read(
          [&] {
            if (client.received.size() < asked) return;
            asked < bytes.size() ? ask() : client.finish();
          },
          [&] { world.wind_up(); });
    });
  }
  world.run();
  world.ledger().check(bytes.starts_with(client.received), "other bytes came back than were sent");
}

// More than fits anywhere, by write() and send(), to a peer who pauses in between.
void backpressure(World& world) {
  constexpr std::size_t kPiece = 64 * 1024;
  constexpr std::size_t kPieces = 12;
  const std::string bytes = pattern(kPiece * kPieces);
  Host host(world);
  Party client(world);
  Timer resume(world.loop());
  world.on_wind_up([&] { resume.close(); });
  std::string received;
  Party* reader = nullptr;
  bool paused = false;
  bool drained = false;
  std::function<void()> take = [&] {
    reader->read(
        [&] {
          if (paused || reader->received.size() < bytes.size() / 2) return;
          paused = true;
          reader->pause();
          resume.data = &take;
          (void)resume.start([](Timer& timer) { (*static_cast<std::function<void()>*>(timer.data))(); },
                             std::chrono::milliseconds(1));
        },
        [&] { world.wind_up(); });
  };
  const bool open = host.open([&](Party& guest) {
    reader = &guest;
    take();
  });
  client.data = &drained;
  client.set_on_drain([](Stream& stream) { *static_cast<bool*>(stream.data) = true; });
  if (const auto address = open ? address_of(world, host) : std::nullopt) {
    client.connect_to(*address, [&] {
      limit_send_buffer(client.fd());
      for (std::size_t i = 0; i < kPieces; ++i) {
        const auto piece = std::string_view(bytes).substr(i * kPiece, kPiece);
        i % 3 == 2 ? client.send_copy(piece) : client.write_pieces(piece, 1 + i % 3);
      }
      client.finish();
    });
  }
  world.run();
  if (!reader) return;
  world.ledger().check(bytes.starts_with(reader->received), "other bytes arrived than were sent");
  if (reader->received == bytes) world.ledger().check(drained, "all was sent, and on_drain was not called");
}

// One word is answered by more than fits, without callbacks: a failure is heard of where the asker is read.
void flood(World& world) {
  const std::string bytes = pattern(512 * 1024);
  Host host(world);
  Party client(world);
  const bool open = host.open([&](Party& guest) {
    limit_send_buffer(guest.fd());
    guest.read([&] { guest.send_copy(bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)); },
               [&] { guest.leave(); });
  });
  if (const auto address = open ? address_of(world, host) : std::nullopt) {
    client.connect_to(*address, [&] {
      client.send_copy("?");
      client.read([&] {
        if (client.received.size() == bytes.size()) client.finish([&] { world.wind_up(); });
      });
    });
  }
  world.run();
  world.ledger().check(bytes.starts_with(client.received), "other bytes came than were sent");
}

// Six who connect at once, say a word and leave.
void many_connects(World& world) {
  constexpr std::size_t kGuests = 6;
  Host host(world);
  std::size_t heard = 0;
  const bool open = host.open([&](Party& guest) {
    guest.read([] {},
               [&] {
                 world.ledger().check(guest.received == "hello", "a guest said something else");
                 guest.leave();
                 if (++heard == kGuests) world.wind_up();
               });
  });
  std::vector<std::unique_ptr<Party>> clients;
  const auto address = open ? address_of(world, host) : std::nullopt;
  for (std::size_t i = 0; address && i < kGuests && !world.is_winding_up(); ++i) {
    Party& client = *clients.emplace_back(std::make_unique<Party>(world));
    client.connect_to(*address,
                      [&client] { client.write_pieces("hello", 1, [&client] { client.leave(); }); });
  }
  world.run();
}

// Nobody listens: the connect and what was written meanwhile end, in this order.
void refused_connect(World& world) {
  const DeafPort port;
  Party client(world);
  client.connect_to(port.address, [] {});
  client.write_pieces("to nobody", 1);
  client.write_pieces("to nobody", 2);
  client.finish();
  world.run();
}

}  // namespace refloop::faults
