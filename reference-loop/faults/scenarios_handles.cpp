// Datagrams, descriptors over a unix socket, a pipe of the kernel, a child.
#include <deque>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reference-loop/faults/scenario.h"
#include "reference-loop/pipe.h"
#include "reference-loop/process.h"
#include "reference-loop/udp.h"

namespace refloop::faults {
namespace {

template <typename H>
void leave_at_the_end(World& world, H& handle) {
  world.on_wind_up([&] {
    if (!handle.is_closing()) handle.close();
  });
}

// A pipe that enters in the ledger what became of it.
struct Line : Pipe {
  explicit Line(World& its_world, PipeOptions options = {})
      : Pipe(its_world.loop(), options), world(its_world) {
    world.on_wind_up([this] {
      if (!is_closing()) close();
    });
  }

  void adopt_socket(Socket socket) {
    if (!world.ledger().took("adopt", adopt(std::move(socket)))) world.wind_up();
  }
  void read(std::function<void()> then_data, std::function<void()> then_end) {
    on_data = std::move(then_data);
    on_end = std::move(then_end);
    if (is_closing()) return;
    const auto reading = read_start(
        [](Stream& stream, Bytes bytes) {
          auto& self = static_cast<Line&>(stream);
          self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          self.on_data();
        },
        [](Stream& stream, Error error) {
          auto& self = static_cast<Line&>(stream);
          self.world.ledger().happened("read", error);
          if (self.world.fine(error)) self.on_end();
        });
    if (!world.ledger().took("read_start", reading)) world.wind_up();
  }
  void write_all(std::span<const Bytes> parts, Socket descriptor = {}) {
    if (is_closing()) return;
    Request& request = requests.emplace_back();
    request.ticket = world.ledger().start("write", this);
    const WriteRequest::Callback done = [](WriteRequest& ended, Error error) {
      World& its_world = static_cast<Line&>(*ended.stream()).world;
      its_world.ledger().end(static_cast<Request&>(ended).ticket, error);
      its_world.fine(error);
    };
    const auto writing =
        descriptor ? write(request, parts[0], std::move(descriptor), done) : write(request, parts, done);
    if (writing) return;
    world.ledger().refuse(request.ticket, writing.error());
    world.wind_up();
  }
  void finish() {
    if (is_closing()) return;
    shutdown_ticket = world.ledger().start("shutdown", this);
    const auto stopping = shutdown([](Stream& stream, Error error) {
      auto& self = static_cast<Line&>(stream);
      self.world.ledger().end(self.shutdown_ticket, error);
      self.world.fine(error);
    });
    if (stopping) return;
    world.ledger().refuse(shutdown_ticket, stopping.error());
    world.wind_up();
  }

  struct Request : PlainWrite {
    Ledger::Ticket ticket = 0;
  };
  World& world;
  std::string received;
  std::function<void()> on_data;
  std::function<void()> on_end;
  std::deque<Request> requests;
  Ledger::Ticket shutdown_ticket = 0;
};

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

// Four datagrams, one after the other as they arrive.
void datagrams(World& world) {
  struct Station : Udp {
    explicit Station(World& its_world) : Udp(its_world.loop()), world(its_world) {}
    World& world;
    std::function<void()> on_datagram;
    unsigned received = 0;
  };
  struct Request : DatagramRequest {
    Ledger::Ticket ticket = 0;
  };
  Station from(world);
  Station to(world);
  leave_at_the_end(world, from);
  leave_at_the_end(world, to);
  std::deque<Request> requests;
  const bool bound = world.ledger().took("bind", to.bind(Address::parse("127.0.0.1", 0).value()));
  const auto address = bound ? to.local_address() : failure(Error::not_connected);
  if (bound) world.ledger().took("local_address", address);
  const auto send = [&] {
    Request& request = requests.emplace_back();
    request.ticket = world.ledger().start("send", &from);
    const auto sent =
        from.send(request, bytes_of("datagram"), &*address, [](DatagramRequest& ended, Error error) {
          World& its_world = static_cast<Station&>(*ended.socket()).world;
          its_world.ledger().end(static_cast<Request&>(ended).ticket, error);
          its_world.fine(error);
        });
    if (sent) return;
    world.ledger().refuse(request.ticket, sent.error());
    world.wind_up();
  };
  to.on_datagram = [&] { to.received < 4 ? send() : world.wind_up(); };
  const auto receive = [&] {
    return to.receive_start(
        [](Udp& udp, const Datagram& datagram) {
          auto& self = static_cast<Station&>(udp);
          self.world.ledger().check(datagram.bytes.size() == 8, "not the datagram that was sent");
          self.world.ledger().happened("datagram");
          ++self.received;
          self.on_datagram();
        },
        [](Udp& udp, Error error) {
          auto& self = static_cast<Station&>(udp);
          self.world.ledger().happened("receive", error);
          self.world.fine(error);
        });
  };
  if (address && world.ledger().took("receive_start", receive()))
    send();
  else
    world.wind_up();
  world.run();
}

// Three descriptors to a host with a path, each with three bytes.
void descriptors(World& world) {
  static unsigned number = 0;
  const std::string path = "/tmp/refloop_faults." + std::to_string(getpid()) + "." + std::to_string(++number);
  struct Door : Listener {
    explicit Door(World& its_world) : Listener(its_world.loop()), world(its_world) {}
    World& world;
    std::unique_ptr<Line> guest;
  } door(world);
  leave_at_the_end(world, door);
  Line client(world, {.passes_descriptors = true});
  const Address address = Address::unix_path(path).value();
  const auto listening = door.listen(address, {}, [](Listener& listener, Socket socket) {
    auto& self = static_cast<Door&>(listener);
    self.world.ledger().happened("accept");
    self.guest = std::make_unique<Line>(self.world, PipeOptions{.passes_descriptors = true});
    self.guest->adopt_socket(std::move(socket));
    Line& guest = *self.guest;
    guest.read(
        [&guest] {
          const std::size_t due = (guest.received.size() + 2) / 3;
          guest.world.ledger().check(guest.waiting_descriptors() >= due, "a descriptor came after its byte");
        },
        [&guest] { guest.world.wind_up(); });
  });
  if (world.ledger().took("listen", listening)) {
    const auto connecting = client.connect(address, [](Stream& stream, Error error) {
      auto& self = static_cast<Line&>(stream);
      self.world.ledger().happened("connect", error);
      if (!self.world.fine(error)) return;
      for (int i = 0; i < 3; ++i) {
        const Bytes bytes = bytes_of("abc");
        self.write_all(std::span(&bytes, 1), Socket(::eventfd(0, EFD_CLOEXEC)));
      }
      self.finish();
    });
    if (!world.ledger().took("connect", connecting)) world.wind_up();
  } else {
    world.wind_up();
  }
  world.run();
  ::unlink(path.c_str());  // where the fault was that it stays
}

// More than a pipe holds, in pieces.
void plain_pipe(World& world) {
  const std::string bytes = pattern(200'000);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return world.ledger().broken("no pipe for the scenario");
  Line reader(world);
  Line writer(world);
  reader.adopt_socket(Socket(ends[0]));
  writer.adopt_socket(Socket(ends[1]));
  const std::array<Bytes, 2> parts{bytes_of(bytes).first(70'000), bytes_of(bytes).subspan(70'000)};
  reader.read([] {}, [&] { world.wind_up(); });
  writer.write_all(parts);
  writer.finish();
  world.run();
  world.ledger().check(bytes.starts_with(reader.received), "other bytes arrived than were sent");
}

// Bytes to a pipe that nobody reads: EPIPE, and no SIGPIPE, or this would be the end.
void unheard_pipe(World& world) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return world.ledger().broken("no pipe for the scenario");
  ::close(ends[0]);
  Line writer(world);
  writer.adopt_socket(Socket(ends[1]));
  const Bytes bytes = bytes_of("to nobody");
  writer.write_all(std::span(&bytes, 1));
  world.run();
}

namespace {

// cat: what it is told comes back, it exits.
void converse(World& world, SpawnOptions options) {
  struct Child : Process {
    explicit Child(World& its_world) : Process(its_world.loop()), world(its_world) {}
    World& world;
    bool exited = false;
    bool ended = false;
    void wind_up_at_the_end() {
      if (exited && ended) world.wind_up();
    }
  } process(world);
  Line in(world);
  Line out(world);
  world.on_wind_up([&] {
    if (process.pid() > 0 && !process.exited) {  // so that close() finds it dead
      siginfo_t info;
      ::kill(process.pid(), SIGKILL);
      ::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
    }
    if (!process.is_closing()) process.close();
  });
  options.arguments = {"cat"};
  options.stdio = {Stdio::piped(in), Stdio::piped(out)};
  const auto spawned = process.spawn(options, [](Process& self, ExitStatus status) {
    auto& its_child = static_cast<Child&>(self);
    its_child.exited = true;
    its_child.world.ledger().happened("exit", status.lost ? error_from_errno(ECHILD) : Error::none);
    if (status.lost) ::waitpid(self.pid(), nullptr, 0);
    its_child.wind_up_at_the_end();
  });
  if (world.ledger().took("spawn", spawned)) {
    if (!world.ledger().took("kill", process.kill(0))) world.wind_up();
    out.read([] {},
             [&] {
               world.ledger().check(out.received == "hello", "cat said something else");
               process.ended = true;
               process.wind_up_at_the_end();
             });
    const Bytes hello = bytes_of("hello");
    in.write_all(std::span(&hello, 1));
    in.finish();
  } else {
    world.wind_up();
  }
  world.run();
}

}  // namespace

void child(World& world) { converse(world, {}); }

// By the other way to make a child; as ourselves, which everybody may.
void child_as_somebody(World& world) {
  converse(world, {.directory = "/", .detached = true, .user = ::getuid(), .group = ::getgid()});
}

}  // namespace refloop::faults
