// What only TCP has: options, both ends, half-open connections, ends in every way; peers that are slow or
// many.
#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "reference-loop/listener.h"
#include "reference-loop/tcp.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::tcp_options_test {
namespace {

using namespace std::chrono_literals;

struct Peer : Tcp {
  using Tcp::Tcp;
  std::size_t received = 0;
  std::optional<Error> ended;
  std::optional<Error> connected;
  std::optional<Error> shut_down;
  std::function<void(Bytes)> on_data;

  static Peer& of(Stream& stream) { return static_cast<Peer&>(stream); }
  void read() {
    ASSERT_TRUE(read_start(
        [](Stream& stream, Bytes bytes) {
          of(stream).received += bytes.size();
          if (of(stream).on_data) of(stream).on_data(bytes);
        },
        [](Stream& stream, Error error) { of(stream).ended = error; }));
  }
  void finish() {
    ASSERT_TRUE(shutdown([](Stream& stream, Error error) { of(stream).shut_down = error; }));
  }
};

struct TcpOptionsTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Listener listener{*loop};
  std::deque<Peer> clients;
  std::deque<Peer> servers;
  std::function<void(Peer&)> on_accept;

  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
    listener.data = this;
    const auto accept = [](Listener& self, Socket socket) {
      auto& test = *static_cast<TcpOptionsTest*>(self.data);
      Peer& peer = test.servers.emplace_back(self.loop());
      ASSERT_TRUE(peer.adopt(std::move(socket)));
      if (test.on_accept) test.on_accept(peer);
    };
    ASSERT_TRUE(listener.listen(Address::parse("127.0.0.1", 0).value(), {}, accept));
  }
  void connect(Peer& peer) {
    ASSERT_TRUE(peer.connect(listener.local_address().value(),
                             [](Stream& stream, Error error) { Peer::of(stream).connected = error; }));
  }
  std::pair<Peer&, Peer&> connected_pair() {
    Peer& client = clients.emplace_back(*loop);
    connect(client);
    run_until([&] { return client.connected && servers.size() == clients.size(); });
    return {client, servers.back()};
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void TearDown() override {
    if (!listener.is_closing()) listener.close();
    for (auto* peers : {&clients, &servers}) {
      for (Peer& peer : *peers) {
        if (!peer.is_closing()) peer.close();
      }
    }
    EXPECT_FALSE(loop->run());
  }
};

int option_of(const Tcp& tcp, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  getsockopt(tcp.fd(), level, name, &value, &size);
  return value;
}

TEST_F(TcpOptionsTest, options_reach_the_socket_and_need_one) {
  Peer& unconnected = clients.emplace_back(*loop);
  EXPECT_EQ(unconnected.set_nodelay(true).error(), Error::not_connected);
  EXPECT_EQ(unconnected.set_keepalive(5s).error(), Error::not_connected);
  connect(unconnected);
  EXPECT_TRUE(unconnected.set_nodelay(true)) << "while connecting, too";
  EXPECT_EQ(option_of(unconnected, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_TRUE(unconnected.set_nodelay(false));
  EXPECT_EQ(option_of(unconnected, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_TRUE(unconnected.set_keepalive(77s));
  EXPECT_EQ(option_of(unconnected, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(unconnected, IPPROTO_TCP, TCP_KEEPIDLE), 77);
  EXPECT_TRUE(unconnected.set_keepalive(std::nullopt));
  EXPECT_EQ(option_of(unconnected, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(unconnected.set_keepalive(0s).error(), Error::bad_state);
}

TEST_F(TcpOptionsTest, a_bound_stream_connects_from_there) {
  Peer& client = clients.emplace_back(*loop);
  ASSERT_TRUE(client.bind(Address::parse("127.0.0.2", 0).value()));
  EXPECT_EQ(client.bind(Address::parse("127.0.0.1", 0).value()).error(), Error::bad_state);
  connect(client);
  run_until([&] { return client.connected && !servers.empty(); });
  EXPECT_EQ(client.local_address()->host(), "127.0.0.2");
  EXPECT_EQ(servers[0].peer_address()->host(), "127.0.0.2");
  Peer& other = clients.emplace_back(*loop);
  EXPECT_EQ(other.bind(listener.local_address().value()).error(), Error::address_in_use);
  EXPECT_EQ(name_of(other.bind(Address::parse("192.0.2.1", 0).value()).error()), "EADDRNOTAVAIL");
}

TEST_F(TcpOptionsTest, close_reset_drops_what_waits_and_tells_the_peer) {
  auto [client, server] = connected_pair();
  server.read();
  const std::string more_than_fits(16 << 20, 'x');
  ASSERT_TRUE(client.send(as_bytes(more_than_fits)));
  ASSERT_TRUE(client.close_reset());
  run_until([&, &peer = server] { return peer.ended.has_value(); });
  EXPECT_EQ(server.ended, Error::connection_reset);
  EXPECT_LT(server.received, more_than_fits.size());
}

TEST_F(TcpOptionsTest, close_reset_is_refused_after_shutdown) {
  auto [client, server] = connected_pair();
  server.read();
  client.finish();
  EXPECT_EQ(client.close_reset().error(), Error::bad_state);
  EXPECT_FALSE(client.is_closing());
  run_until([&, &peer = server] { return peer.ended.has_value(); });
  EXPECT_EQ(server.ended, Error::none);
}

TEST_F(TcpOptionsTest, a_half_open_connection_goes_on_in_the_other_direction) {
  auto [client, server] = connected_pair();
  client.read();
  server.read();
  client.finish();
  run_until([&, &peer = server] { return peer.ended.has_value(); });
  EXPECT_EQ(server.ended, Error::none);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(server.send(as_bytes("late")));
    run_until([&, &peer = client] { return peer.received == static_cast<std::size_t>(4 * i); });
  }
  EXPECT_FALSE(client.ended);
  server.finish();
  run_until([&, &peer = client] { return peer.ended.has_value(); });
  EXPECT_EQ(client.ended, Error::none);
}

TEST_F(TcpOptionsTest, both_ends_shut_down_at_once_and_each_hears_all_and_one_end) {
  auto [client, server] = connected_pair();
  const std::string large(1 << 20, 'x');
  for (Peer* peer : {&client, &server}) {
    peer->read();
    ASSERT_TRUE(peer->send(as_bytes(large)));
    peer->finish();
  }
  run_until([&, &a = client, &b = server] { return a.ended && b.ended && a.shut_down && b.shut_down; });
  for (const Peer* peer : {&client, &server}) {
    EXPECT_EQ(peer->received, large.size());
    EXPECT_EQ(peer->ended, Error::none);
    EXPECT_EQ(peer->shut_down, Error::none);
  }
}

TEST_F(TcpOptionsTest, a_peer_that_does_not_read_costs_what_the_writer_queues_and_no_more) {
  auto [client, server] = connected_pair();
  // The pattern: stop producing while queued_bytes() is above a limit, go on in on_drain.
  constexpr std::size_t kLimit = 256 * 1024;
  constexpr std::size_t kTotal = 64u << 20;
  const std::string piece(64 * 1024, 'x');
  struct Producer {
    Peer* peer;
    std::size_t produced = 0;
    std::size_t most_queued = 0;
    std::string_view piece;
    void produce() {
      while (produced < kTotal && peer->queued_bytes() < kLimit) {
        ASSERT_TRUE(peer->send(as_bytes(piece)));
        produced += piece.size();
        most_queued = std::max(most_queued, peer->queued_bytes());
      }
    }
  } producer{&client, 0, 0, piece};
  client.data = &producer;
  client.set_on_drain([](Stream& stream) {
    EXPECT_EQ(stream.queued_bytes(), 0u);
    static_cast<Producer*>(stream.data)->produce();
  });
  producer.produce();
  for (int turn = 0; turn < 100; ++turn) loop->run(RunMode::nowait);
  const std::size_t stuck_at = producer.produced;
  EXPECT_LT(stuck_at, kTotal) << "the peer reads nothing: its socket and ours are full";
  for (int turn = 0; turn < 100; ++turn) loop->run(RunMode::nowait);
  EXPECT_EQ(producer.produced, stuck_at);
  EXPECT_LT(producer.most_queued, kLimit + piece.size());
  server.read();
  run_until([&, &peer = server] { return peer.received == kTotal; });
  EXPECT_LT(producer.most_queued, kLimit + piece.size());
  EXPECT_EQ(client.queued_bytes(), 0u);
}

// By counting, not by time: how many turns until everybody was served, while others never stop talking.
TEST_F(TcpOptionsTest, in_a_storm_neither_those_who_connect_nor_those_who_talk_starve) {
  constexpr std::size_t kTalkers = 50;
  constexpr std::size_t kStorm = 1'000;
  on_accept = [](Peer& peer) {
    peer.on_data = [&peer](Bytes bytes) { EXPECT_TRUE(peer.send(bytes)); };
    peer.read();
  };
  for (std::size_t i = 0; i < kTalkers; ++i) connected_pair();
  for (Peer& talker : clients) {  // from here each always has a message under way
    talker.on_data = [&talker](Bytes bytes) { EXPECT_TRUE(talker.send(bytes)); };
    talker.read();
    ASSERT_TRUE(talker.send(as_bytes("talk")));
  }
  std::vector<Socket> storm;
  const Address address = listener.local_address().value();
  for (std::size_t i = 0; i < kStorm; ++i) {
    storm.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(storm.back().fd(), address.raw(), address.size()), 0);
    ASSERT_EQ(::send(storm.back().fd(), "hi", 2, MSG_NOSIGNAL), 2);
  }
  for (Peer& talker : clients) talker.received = 0;
  int turns = 0;
  const auto all_answered = [&] {
    return servers.size() == kTalkers + kStorm &&
           std::ranges::all_of(servers, [](const Peer& peer) { return peer.received > 0; });
  };
  while (!all_answered() && turns < 200) {
    loop->run(RunMode::nowait);
    ++turns;
  }
  EXPECT_LE(turns, 20) << "of " << servers.size() << " accepted";
  for (const Peer& talker : clients) EXPECT_GE(talker.received, 4u) << "a talker starved in the storm";
}

// Both ends of 5,000 connections in one process: 10,000 descriptors. Every message comes back; then everybody
// leaves, in every way, from callbacks.
TEST_F(TcpOptionsTest, five_thousand_connections_talk_and_leave) {
  constexpr std::size_t kConnections = 5'000;
  constexpr std::size_t kMessages = 3;
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2 * kConnections + 500) GTEST_SKIP() << "too few descriptors allowed here";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct Talker : Peer {
    using Peer::Peer;
    std::size_t* finished = nullptr;
    std::size_t number = 0;
    void talk() {
      const std::string text = std::to_string(number * kMessages + received / 8);
      ASSERT_TRUE(send(as_bytes((std::string(8 - text.size(), '.') + text))));
    }
    void leave() {
      ++*finished;
      if (number % 3 == 0) return finish();
      if (number % 3 == 1) return close();
      ASSERT_TRUE(close_reset());
    }
  };
  on_accept = [](Peer& peer) {
    peer.on_data = [&peer](Bytes bytes) { EXPECT_TRUE(peer.send(bytes)); };
    peer.read();
  };
  std::size_t finished = 0;
  std::deque<Talker> talkers;
  for (std::size_t i = 0; i < kConnections; ++i) {
    Talker& talker = talkers.emplace_back(*loop);
    talker.finished = &finished;
    talker.number = i;
    talker.on_data = [&talker](Bytes) {
      if (talker.received % 8 != 0) return;
      talker.received < 8 * kMessages ? talker.talk() : talker.leave();
    };
    ASSERT_TRUE(talker.connect(listener.local_address().value(), [](Stream& stream, Error error) {
      auto& self = static_cast<Talker&>(stream);
      ASSERT_EQ(error, Error::none);
      self.read();
      self.talk();
    }));
  }
  run_until([&] { return finished == kConnections && servers.size() == kConnections; });
  for (Talker& talker : talkers) {
    EXPECT_EQ(talker.received, 8 * kMessages);
    if (!talker.is_closing()) talker.close();
  }
  for (Peer& server : servers) {
    if (!server.is_closing()) server.close();
  }
  listener.close();
  EXPECT_FALSE(loop->run());
}

}  // namespace
}  // namespace refloop::tcp_options_test
