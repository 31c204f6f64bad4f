// For the stress test: connections over TCP and unix sockets, and what accepts them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "reference-loop/listener.h"
#include "reference-loop/pipe.h"
#include "reference-loop/tcp.h"
#include "reference-loop/test_stress.h"

namespace refloop::stress {

// What the actors of one world know of each other.
struct Scene {
  std::optional<Address> tcp;
  std::optional<Address> local;
  std::map<std::uint16_t, std::pair<Channel*, Channel*>> by_client_port;  // to server, to client
  std::vector<Address> udp;
};

template <typename Base>
class Connection : public Actor {
 public:
  template <typename... Arguments>
  explicit Connection(World& world, Arguments... arguments)
      : Actor(world), stream_(world.loop(), arguments...) {}

  Handle& handle() override { return stream_; }
  Base& stream() { return stream_; }
  void carry(Channel& in, Channel& out) {
    in_ = &in;
    out_ = &out;
  }

  void connect(const Address& to) {
    const auto started = stream_.connect(to, [](Stream& stream, Error error) {
      Connection& self = of(stream);
      --self.world_.outstanding;
      self.completed(self.connect_done_);
      if (error == Error::none) self.read();
      self.world_.act();
    });
    if (started) ++world_.outstanding;
  }

  void read() {
    (void)stream_.read_start(
        [](Stream& stream, Bytes bytes) {
          Connection& self = of(stream);
          if (self.in_) self.world_.expect_noise(*self.in_, bytes);
          if constexpr (std::is_same_v<Base, Pipe>) {
            if (self.world_.random.one_in(2)) self.stream_.take_descriptor();
          }
          self.called_back();
        },
        [](Stream& stream, Error error) {
          Connection& self = of(stream);
          EXPECT_FALSE(self.ended_) << "a second end";
          self.ended_ = true;
          if (error == Error::none && self.in_ && self.in_->finished) {
            EXPECT_EQ(self.in_->read, self.in_->written) << "an end before the last byte";
          }
          self.called_back();
        });
  }

  void act() override {
    switch (world_.random.below(9)) {
      case 0:
        return stream_.read_stop();
      case 1:
      case 2:
        return read();
      case 3:
        return shutdown();
      case 4:
        return world_.random.one_in(2) ? stream_.unref() : stream_.ref();
      default:
        return write();
    }
  }

  void end() override {
    if constexpr (std::is_same_v<Base, Tcp>) {
      if (world_.random.one_in(3) && stream_.close_reset(&Actor::closed)) return;
    }
    Actor::end();
  }

 private:
  static Connection& of(Stream& stream) {
    return static_cast<Connection&>(*static_cast<Actor*>(stream.data));
  }

  void write() {
    const std::size_t size =
        world_.random.one_in(20) ? world_.random.below(300'000) : world_.random.below(3'000);
    const Bytes bytes = world_.noise(out_->start + out_->written, size);
    switch (world_.random.below(4)) {
      case 0:
        if (stream_.send(bytes.first(bytes.size() / 2), bytes.subspan(bytes.size() / 2)))
          out_->written += bytes.size();
        return;
      case 1:
        out_->written += stream_.try_write(bytes).value_or(0);
        return;
      default:
        if (request(bytes)) out_->written += bytes.size();
    }
  }

  Result<void> request(Bytes bytes) {
    StressWrite& write = world_.writes.emplace_back();
    write.actor = this;
    const WriteRequest::Callback done = [](WriteRequest& self, Error) {
      auto& ended = static_cast<StressWrite&>(self);
      Connection& owner = static_cast<Connection&>(*ended.actor);
      --owner.world_.outstanding;
      owner.completed(ended.done);
      owner.world_.act();
    };
    Result<void> written;
    if constexpr (std::is_same_v<Base, Pipe>) {
      if (world_.random.one_in(3))
        written = stream_.write(write, bytes, Socket(fcntl(0, F_DUPFD_CLOEXEC, 3)), done);
      else
        written = stream_.write(write, bytes, done);
    } else {
      written = stream_.write(write, bytes, done);
    }
    if (written) ++world_.outstanding;
    return written;
  }

  void shutdown() {
    const auto started = stream_.shutdown([](Stream& stream, Error error) {
      Connection& self = of(stream);
      --self.world_.outstanding;
      self.completed(self.shutdown_done_);
      if (error == Error::none) self.out_->finished = true;
      self.world_.act();
    });
    if (started) ++world_.outstanding;
  }

  Base stream_;
  Channel* in_ = nullptr;
  Channel* out_ = nullptr;
  bool connect_done_ = false;
  bool shutdown_done_ = false;
  bool ended_ = false;
};

class Acceptor : public Actor {
 public:
  Acceptor(World& world, Scene& scene, bool is_tcp) : Actor(world), scene_(scene), listener_(world.loop()) {
    static int number = 0;
    const std::string name = "refloop_stress." + std::to_string(getpid()) + "." + std::to_string(++number);
    const Address address =
        is_tcp ? Address::parse("127.0.0.1", 0).value() : Address::unix_abstract(name).value();
    EXPECT_TRUE(listener_.listen(address, {}, [](Listener& listener, Socket socket) {
      static_cast<Acceptor&>(*static_cast<Actor*>(listener.data)).accept(std::move(socket));
    }));
    (is_tcp ? scene.tcp : scene.local) = listener_.local_address().value();
  }
  Handle& handle() override { return listener_; }
  void act() override {}

 private:
  void accept(Socket socket) {
    const auto peer = Address::peer_of(socket.fd());
    if (peer && peer->family() == AF_INET)
      serve<Tcp>(std::move(socket), scene_.by_client_port.at(peer->port()));
    else if (peer)
      serve<Pipe>(std::move(socket), {&world_.channel(0), &world_.channel(0)});
    called_back();
  }
  template <typename Base>
  void serve(Socket socket, std::pair<Channel*, Channel*> channels) {
    auto& server = world_.add<Connection<Base>>();
    server.carry(*channels.first, *channels.second);
    EXPECT_TRUE(server.stream().adopt(std::move(socket)));
    server.read();
  }

  Scene& scene_;
  Listener listener_;
};

}  // namespace refloop::stress
