#include "reference-loop/tcp.h"

#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/resource.h>

#include "reference-loop/listener.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::tcp_test {
namespace {

using namespace std::chrono_literals;

// One connection of a test, with a log of its own callbacks; freed with the fixture.
struct Peer : Tcp {
  Peer(Loop& loop, Log& shared_log, std::string peer_name)
      : Tcp(loop), log(shared_log), name(std::move(peer_name)) {}
  Log& log;
  std::string name;
  std::string received;
  std::function<void(Bytes)> on_data;
  std::function<void()> on_end;

  static Peer& of(Stream& tcp) { return static_cast<Peer&>(tcp); }
  void note(std::string what) { log.push_back(name + what); }

  void read() {
    ASSERT_TRUE(read_start(
        [](Stream& tcp, Bytes bytes) {
          Peer& self = of(tcp);
          self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          if (self.on_data) self.on_data(bytes);
        },
        [](Stream& tcp, Error error) {
          Peer& self = of(tcp);
          self.note(error == Error::none ? " end" : " " + std::string(name_of(error)));
          if (self.on_end) self.on_end();
        }));
  }
  void close_noting() {
    close([](Handle& handle) { static_cast<Peer&>(handle).note(" closed"); });
  }
};

struct NotedWrite : PlainWrite {
  Peer* peer = nullptr;
  std::string label;
};

struct TcpTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  Listener listener{*loop};
  Peer client{*loop, log, "client"};
  std::deque<Peer> accepted;
  std::function<void(Peer&)> on_accept;
  std::deque<NotedWrite> writes;

  void listen() {
    listener.data = this;
    ASSERT_TRUE(
        listener.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener& self, Socket socket) {
          auto& test = *static_cast<TcpTest*>(self.data);
          Peer& peer = test.accepted.emplace_back(self.loop(), test.log, "server");
          ASSERT_TRUE(peer.adopt(std::move(socket)));
          if (test.on_accept) test.on_accept(peer);
        }));
  }
  void connect(Tcp& tcp) {
    ASSERT_TRUE(tcp.connect(listener.local_address().value(), [](Stream& self, Error error) {
      Peer::of(self).note(" connect " + std::string(name_of(error)));
    }));
  }
  // A write whose callback logs "<peer> <label> <outcome>".
  void write(Peer& peer, std::string label, std::string_view bytes) {
    NotedWrite& request = writes.emplace_back();
    request.peer = &peer;
    request.label = std::move(label);
    ASSERT_TRUE(peer.write(request, as_bytes(bytes), [](WriteRequest& self, Error error) {
      auto& noted = static_cast<NotedWrite&>(self);
      noted.peer->note(" " + noted.label + " " + std::string(name_of(error)));
    }));
  }
  Log of_client() {
    Log selected;
    for (const std::string& entry : log) {
      if (entry.starts_with("client")) selected.push_back(entry);
    }
    return selected;
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void TearDown() override {
    if (!listener.is_closing()) listener.close();
    if (!client.is_closing()) client.close();
    for (Peer& peer : accepted) {
      if (!peer.is_closing()) peer.close();
    }
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(TcpTest, echoes_by_borrowed_bytes) {
  listen();
  on_accept = [](Peer& peer) {
    peer.on_data = [&peer](Bytes bytes) { EXPECT_TRUE(peer.send(bytes)); };
    peer.read();
  };
  connect(client);
  EXPECT_EQ(log, Log{}) << "never inside the call";
  EXPECT_TRUE(client.send(as_bytes("hel"), as_bytes("lo"))) << "queued until connected";
  run_until([&] { return !log.empty(); });
  client.read();
  run_until([&] { return client.received == "hello"; });
  EXPECT_EQ(log, Log{"client connect OK"});
}

TEST_F(TcpTest, a_write_without_a_byte_on_a_broken_connection_ends_once) {
  listen();
  connect(client);
  run_until([&] { return !log.empty() && !accepted.empty(); });
  ASSERT_TRUE(accepted[0].close_reset());
  loop->run(RunMode::nowait);
  log.clear();
  write(client, "empty", "");
  run_until([&] { return !log.empty(); });
  loop->run(RunMode::nowait);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_TRUE(log[0].starts_with("client empty ")) << log[0];
}

TEST_F(TcpTest, connect_then_writes_in_order_then_shutdown) {
  listen();
  on_accept = [](Peer& peer) { peer.read(); };
  connect(client);
  for (const char* label : {"w0", "w1", "w2"}) write(client, label, label);
  ASSERT_TRUE(client.shutdown(
      [](Stream& tcp, Error error) { Peer::of(tcp).note(" shutdown " + std::string(name_of(error))); }));
  EXPECT_EQ(client.send(as_bytes("x")).error(), Error::broken_pipe);
  EXPECT_EQ(client.shutdown(nullptr).error(), Error::broken_pipe);
  run_until([&] { return !accepted.empty() && std::ranges::count(log, "server end") == 1; });
  EXPECT_EQ(of_client(),
            (Log{"client connect OK", "client w0 OK", "client w1 OK", "client w2 OK", "client shutdown OK"}));
  EXPECT_EQ(accepted[0].received, "w0w1w2");
}

TEST_F(TcpTest, a_refused_connect_reports_later_and_cancels_the_queued_writes) {
  listen();
  const Address address = listener.local_address().value();
  listener.close();
  loop->run();
  ASSERT_TRUE(client.connect(address, [](Stream& self, Error error) {
    Peer::of(self).note(" connect " + std::string(name_of(error)));
    Peer::of(self).close_noting();
  }));
  write(client, "w0", "a");
  write(client, "w1", "b");
  EXPECT_EQ(log, Log{});
  loop->run();
  EXPECT_EQ(log, (Log{"client connect ECONNREFUSED", "client w0 ECANCELED", "client w1 ECANCELED",
                      "client closed"}));
}

TEST_F(TcpTest, an_immediate_write_reports_in_the_pending_phase_and_chains_take_eight_extra_rounds) {
  listen();
  connect(client);
  run_until([&] { return !log.empty() && !accepted.empty(); });
  log.clear();
  static TcpTest* test;
  static int left;
  test = this;
  left = 12;
  static PlainWrite request;
  static WriteRequest::Callback next;
  next = [](WriteRequest& self, Error) {
    EXPECT_EQ(test->loop->phase(), Phase::pending);
    test->log.push_back("w");
    if (left-- > 0) {
      EXPECT_TRUE(test->client.write(static_cast<PlainWrite&>(self), as_bytes("x"), next));
    }
  };
  TestWatcher<Prepare> prepare(*loop);
  TestWatcher<Check> check(*loop);
  prepare.each_turn([&] { log.push_back("prepare"); });
  check.each_turn([&] { log.push_back("check"); });
  ASSERT_TRUE(client.write(request, as_bytes("x"), next));
  while (left >= 0) loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"w", "prepare", "w", "w", "w", "w", "w", "w", "w", "w", "check",  //
                      "w", "prepare", "w", "w", "w", "check"}));
}

TEST_F(TcpTest, close_cancels_in_order_before_the_close_callback_and_completed_writes_keep_their_result) {
  listen();
  connect(client);
  run_until([&] { return !log.empty() && !accepted.empty(); });
  log.clear();
  const std::string big(8 << 20, 'x');
  write(client, "small", "s");
  write(client, "big", big);
  write(client, "last", "l");
  EXPECT_GT(client.queued_bytes(), 0u);
  EXPECT_EQ(client.try_write(as_bytes("y")).error(), Error::again) << "may not overtake";
  ASSERT_TRUE(client.shutdown(
      [](Stream& tcp, Error error) { Peer::of(tcp).note(" shutdown " + std::string(name_of(error))); }));
  client.close_noting();
  EXPECT_EQ(log, Log{});
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"client small OK", "client big ECANCELED", "client last ECANCELED",
                      "client shutdown ECANCELED", "client closed"}));
}

TEST_F(TcpTest, megabytes_by_every_kind_of_write_arrive_in_order_and_end_once) {
  listen();
  on_accept = [](Peer& peer) { peer.read(); };
  connect(client);
  std::string expected;
  std::deque<std::string> parts;
  bool drained = false;
  client.data = &drained;
  client.set_on_drain([](Stream& tcp) { *static_cast<bool*>(tcp.data) = true; });
  for (int i = 0; i < 60; ++i) {
    const std::string& part = parts.emplace_back(100'000, static_cast<char>('a' + i % 26));
    expected += part;
    if (i % 2 == 0)
      write(client, "w", part);
    else
      EXPECT_TRUE(client.send(as_bytes(part).first(10), as_bytes(part).subspan(10)));
  }
  EXPECT_EQ(client.queued_bytes(), expected.size());
  ASSERT_TRUE(client.shutdown([](Stream& tcp, Error) { Peer::of(tcp).note(" shutdown"); }));
  run_until([&] { return std::ranges::count(log, "server end") == 1; });
  EXPECT_TRUE(accepted[0].received == expected);
  EXPECT_TRUE(drained);
  EXPECT_EQ(client.queued_bytes(), 0u);
  EXPECT_EQ(log.back(), "server end");
  EXPECT_EQ(accepted[0].read_start([](Stream&, Bytes) {}, [](Stream&, Error) {}).error(),
            Error::not_connected);
}

TEST_F(TcpTest, no_read_callback_after_read_stop_and_nothing_is_lost) {
  listen();
  on_accept = [this](Peer& peer) {
    peer.on_data = [this, &peer](Bytes) {
      peer.read_stop();
      log.push_back("stopped");
    };
    peer.read();
  };
  connect(client);
  EXPECT_TRUE(client.send(as_bytes("one")));
  run_until([&] { return std::ranges::count(log, "stopped") == 1; });
  EXPECT_TRUE(client.send(as_bytes("two")));
  TestTimer ticker(*loop);
  int turns = 0;
  ticker.start_in(
      0ns,
      [&] {
        if (++turns == 5) ticker.stop();
      },
      1ms);
  run_until([&] { return turns == 5; });
  EXPECT_EQ(accepted[0].received, "one");
  accepted[0].read();
  run_until([&] { return std::ranges::count(log, "stopped") == 2; });
  EXPECT_EQ(accepted[0].received, "onetwo");
}

TEST_F(TcpTest, a_stream_closed_by_a_neighbour_of_the_same_batch_hears_nothing) {
  listen();
  Peer second(*loop, log, "second");
  connect(client);
  connect(second);
  run_until([&] { return log.size() == 2 && accepted.size() == 2; });
  log.clear();
  for (Peer* peer : {&client, &second}) {
    peer->on_data = [&](Bytes) {
      log.push_back("data");
      client.close();
      second.close();
    };
    peer->read();
  }
  for (Peer& peer : accepted) EXPECT_TRUE(peer.send(as_bytes("x")));
  // Both are readable before the loop looks.
  run_until([&] { return client.is_closing(); });
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{"data"});
}

TEST_F(TcpTest, a_reset_ends_the_stream_with_its_reason) {
  listen();
  connect(client);
  run_until([&] { return !log.empty() && !accepted.empty(); });
  client.read();
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(accepted[0].fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  accepted[0].close();
  run_until([&] { return log.size() == 2; });
  EXPECT_EQ(log.back(), "client ECONNRESET");
}

TEST_F(TcpTest, a_storm_of_connects_is_accepted_within_a_few_turns) {
  if (is_simulated()) GTEST_SKIP() << "its clients are real sockets";
  listen();
  constexpr std::size_t kClients = 600;
  std::vector<Socket> clients;
  const Address address = listener.local_address().value();
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back().fd(), address.raw(), address.size()), 0);
  }
  int turns = 0;
  while (accepted.size() < kClients && turns < 100) {
    loop->run(RunMode::nowait);
    ++turns;
  }
  EXPECT_EQ(accepted.size(), kClients);
  EXPECT_LE(turns, 10);
}

TEST_F(TcpTest, running_out_of_descriptors_pauses_instead_of_spinning_and_recovers) {
  if (is_simulated()) GTEST_SKIP() << "its client is a real socket";
  listen();
  const Address address = listener.local_address().value();
  const Socket waiting(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(waiting.fd(), address.raw(), address.size()), 0);
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  const int lowest_free = dup(0);
  ::close(lowest_free);
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  for (int i = 0; i < 20; ++i) loop->run(RunMode::nowait);
  EXPECT_EQ(listener.pauses(), 1u);
  EXPECT_TRUE(accepted.empty());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  run_until([&] { return accepted.size() == 1; });
}

TEST_F(TcpTest, two_listeners_share_a_port_only_with_reuse_port) {
  const Address any = Address::parse("127.0.0.1", 0).value();
  Listener second(*loop);
  const auto ignore = [](Listener&, Socket) {};
  ASSERT_TRUE(listener.listen(any, {.reuse_port = true}, ignore));
  const Address taken = listener.local_address().value();
  EXPECT_EQ(second.listen(taken, {}, ignore).error(), Error::address_in_use);
  EXPECT_TRUE(second.listen(taken, {.reuse_port = true}, ignore));
  second.close();
  loop->run(RunMode::nowait);
}

}  // namespace
}  // namespace refloop::tcp_test
