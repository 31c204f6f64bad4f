#include "reference-loop/udp.h"

#include <deque>
#include <gtest/gtest.h>
#include <string>

#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::udp_test {
namespace {

// A socket of a test that logs what happens to it.
struct Station : Udp {
  Station(Loop& loop, Log& shared_log, std::string station_name)
      : Udp(loop), log(shared_log), name(std::move(station_name)) {}
  Log& log;
  std::string name;
  std::vector<std::string> received;
  std::function<void(const Datagram&)> on_datagram;
  int errors = 0;

  static Station& of(Udp& udp) { return static_cast<Station&>(udp); }
  void receive(std::size_t bytes_max = kDatagramBytesMax) {
    ASSERT_TRUE(receive_start(
        [](Udp& udp, const Datagram& datagram) {
          Station& self = of(udp);
          self.received.emplace_back(reinterpret_cast<const char*>(datagram.bytes.data()),
                                     datagram.bytes.size());
          if (self.on_datagram) self.on_datagram(datagram);
        },
        [](Udp& udp, Error error) {
          ++of(udp).errors;
          of(udp).log.push_back(of(udp).name + " " + std::string(name_of(error)));
        },
        bytes_max));
  }
};

struct NotedDatagram : DatagramRequest {
  std::string label;
  Log* log = nullptr;
};

struct UdpTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Log log;
  Station sender{*loop, log, "sender"};
  Station receiver{*loop, log, "receiver"};
  std::deque<NotedDatagram> requests;

  Address bound_receiver() {
    EXPECT_TRUE(receiver.bind(Address::parse("127.0.0.1", 0).value()));
    return receiver.local_address().value();
  }
  void send(Station& from, std::string label, std::string_view bytes, const Address* to) {
    NotedDatagram& request = requests.emplace_back();
    request.label = std::move(label);
    request.log = &log;
    ASSERT_TRUE(from.send(request, as_bytes(bytes), to, [](DatagramRequest& self, Error error) {
      auto& noted = static_cast<NotedDatagram&>(self);
      noted.log->push_back(noted.label + " " + std::string(name_of(error)));
    }));
  }
  void run_until(const std::function<bool()>& condition) {
    while (!condition() && loop->alive()) loop->run(RunMode::once);
    ASSERT_TRUE(condition()) << "the loop has nothing left to do";
  }
  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  }
  void TearDown() override {
    for (Station* station : {&sender, &receiver}) {
      if (!station->is_closing()) station->close();
    }
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(UdpTest, datagrams_arrive_whole_in_order_and_with_their_sender) {
  const Address to = bound_receiver();
  ASSERT_TRUE(sender.bind(Address::parse("127.0.0.1", 0).value()));
  const std::uint16_t from_port = sender.local_address()->port();
  receiver.receive();
  receiver.on_datagram = [&](const Datagram& datagram) {
    EXPECT_EQ(datagram.from.host(), "127.0.0.1");
    EXPECT_EQ(datagram.from.port(), from_port);
    EXPECT_FALSE(datagram.truncated);
    EXPECT_EQ(loop->phase(), Phase::poll);
  };
  const std::string large(60'000, 'x');
  for (const char* bytes : {"one", "", "three"}) send(sender, "sent", bytes, &to);
  send(sender, "sent", large, &to);
  EXPECT_EQ(log, Log{}) << "never inside the call";
  run_until([&] { return receiver.received.size() == 4; });
  EXPECT_EQ(receiver.received, (std::vector<std::string>{"one", "", "three", large}));
  EXPECT_EQ(log, (Log{"sent OK", "sent OK", "sent OK", "sent OK"}));
}

TEST_F(UdpTest, a_flood_is_delivered_in_order_a_batch_per_turn) {
  const Address to = bound_receiver();
  constexpr int kDatagrams = 100;
  for (int i = 0; i < kDatagrams; ++i) {
    ASSERT_TRUE(sender.try_send(as_bytes(std::to_string(i)), &to));
  }
  receiver.receive();
  std::size_t before = 0;
  while (receiver.received.size() < kDatagrams) {
    loop->run(RunMode::once);
    EXPECT_LE(receiver.received.size() - before, static_cast<std::size_t>(kDatagramsPerBatch));
    before = receiver.received.size();
  }
  for (int i = 0; i < kDatagrams; ++i) {
    EXPECT_EQ(receiver.received[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

TEST_F(UdpTest, what_is_larger_than_the_room_for_it_is_cut_and_flagged) {
  const Address to = bound_receiver();
  receiver.receive(4);
  std::vector<bool> truncated;
  receiver.on_datagram = [&](const Datagram& datagram) { truncated.push_back(datagram.truncated); };
  for (const char* bytes : {"1234", "12345", "1"}) ASSERT_TRUE(sender.try_send(as_bytes(bytes), &to));
  run_until([&] { return receiver.received.size() == 3; });
  EXPECT_EQ(receiver.received, (std::vector<std::string>{"1234", "1234", "1"}));
  EXPECT_EQ(truncated, (std::vector<bool>{false, true, false}));
}

TEST_F(UdpTest, no_callback_after_receive_stop_and_the_batch_is_not_lost) {
  const Address to = bound_receiver();
  for (const char* bytes : {"a", "b", "c", "d"}) ASSERT_TRUE(sender.try_send(as_bytes(bytes), &to));
  receiver.on_datagram = [&](const Datagram&) { receiver.receive_stop(); };
  receiver.receive();
  run_until([&] { return receiver.received.size() == 1; });
  EXPECT_FALSE(loop->run()) << "stopped, it does not keep the loop alive";
  EXPECT_EQ(receiver.received, (std::vector<std::string>{"a"}));
  receiver.receive();
  run_until([&] { return receiver.received.size() == 2; });
  receiver.on_datagram = nullptr;
  receiver.receive();
  run_until([&] { return receiver.received.size() == 4; });
  EXPECT_EQ(receiver.received, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(UdpTest, a_socket_closed_by_its_first_datagram_hears_no_second) {
  const Address to = bound_receiver();
  for (const char* bytes : {"a", "b"}) ASSERT_TRUE(sender.try_send(as_bytes(bytes), &to));
  receiver.on_datagram = [&](const Datagram&) { receiver.close(); };
  receiver.receive();
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(receiver.received, (std::vector<std::string>{"a"}));
}

// A unix datagram socket has what loopback UDP never shows: a queue that is full until somebody reads.
struct FullUdpTest : UdpTest {
  Socket reader;
  int sent_at_once = 0;
  void fill() {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    reader.reset(ends[1]);
    ASSERT_TRUE(sender.adopt(Socket(ends[0])));
    while (sender.try_send(as_bytes("fill"), nullptr)) ++sent_at_once;
    ASSERT_GT(sent_at_once, 0);
    ASSERT_EQ(sender.try_send(as_bytes("fill"), nullptr).error(), Error::again);
  }
  std::string read_one() {
    char bytes[16];
    const ssize_t size = ::recv(reader.fd(), bytes, sizeof(bytes), 0);
    return size < 0 ? "" : std::string(bytes, static_cast<std::size_t>(size));
  }
};

TEST_F(FullUdpTest, sends_wait_for_room_in_order_and_nothing_overtakes_them) {
  fill();
  for (const char* label : {"d0", "d1", "d2"}) send(sender, label, label, nullptr);
  EXPECT_EQ(sender.queued_datagrams(), 3u);
  EXPECT_EQ(sender.queued_bytes(), 6u);
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, Log{});
  std::vector<std::string> arrived;
  while (log.size() < 3) {
    arrived.push_back(read_one());
    EXPECT_EQ(sender.try_send(as_bytes("overtakes"), nullptr).error(), Error::again);
    loop->run(RunMode::nowait);
  }
  EXPECT_EQ(log, (Log{"d0 OK", "d1 OK", "d2 OK"}));
  for (std::string one = read_one(); !one.empty(); one = read_one()) arrived.push_back(one);
  arrived.erase(arrived.begin(), arrived.begin() + sent_at_once);
  EXPECT_EQ(arrived, (std::vector<std::string>{"d0", "d1", "d2"}));
}

TEST_F(FullUdpTest, close_cancels_what_waits_in_order_before_its_callback_and_keeps_what_was_sent) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  reader.reset(ends[1]);
  ASSERT_TRUE(sender.adopt(Socket(ends[0])));
  send(sender, "sent", "sent", nullptr);
  while (sender.try_send(as_bytes("fill"), nullptr)) {
  }
  send(sender, "d0", "d0", nullptr);
  send(sender, "d1", "d1", nullptr);
  sender.close([](Handle& self) { static_cast<Station&>(self).log.push_back("closed"); });
  EXPECT_EQ(log, Log{});
  loop->run(RunMode::nowait);
  EXPECT_EQ(log, (Log{"sent OK", "d0 ECANCELED", "d1 ECANCELED", "closed"}));
}

TEST_F(UdpTest, a_connected_socket_hears_that_nobody_listens_and_goes_on) {
  const Address to = bound_receiver();
  receiver.close();
  loop->run(RunMode::nowait);
  ASSERT_TRUE(sender.connect(to));
  sender.receive();
  send(sender, "first", "x", nullptr);
  run_until([&] { return sender.errors == 1; });
  EXPECT_EQ(log, (Log{"first OK", "sender ECONNREFUSED"}));
  // Not reading, it is the next datagram that hears of it, and is not sent.
  sender.receive_stop();
  ASSERT_TRUE(sender.try_send(as_bytes("x"), nullptr));
  send(sender, "second", "x", nullptr);
  loop->run(RunMode::nowait);
  EXPECT_EQ(log.back(), "second ECONNREFUSED");
}

TEST_F(UdpTest, a_destination_is_given_once) {
  const Address to = bound_receiver();
  DatagramRequest request;
  EXPECT_EQ(sender.try_send(as_bytes("x"), nullptr).error(), Error::not_connected);
  EXPECT_EQ(sender.send(request, as_bytes("x"), nullptr, nullptr).error(), Error::not_connected);
  EXPECT_EQ(sender.disconnect().error(), Error::not_connected);
  ASSERT_TRUE(sender.connect(to));
  EXPECT_EQ(sender.peer_address()->port(), to.port());
  EXPECT_EQ(sender.try_send(as_bytes("x"), &to).error(), Error::already_connected);
  EXPECT_TRUE(sender.try_send(as_bytes("x"), nullptr));
  ASSERT_TRUE(sender.disconnect());
  EXPECT_TRUE(sender.try_send(as_bytes("x"), &to));
  sender.close();
  EXPECT_EQ(sender.try_send(as_bytes("x"), &to).error(), Error::bad_state);
}

TEST_F(UdpTest, what_the_kernel_says_of_a_datagram_is_its_outcome) {
  const Address to = bound_receiver();
  const std::string too_large(70'000, 'x');
  send(sender, "large", too_large, &to);
  send(sender, "small", "x", &to);
  run_until([&] { return log.size() == 2; });
  EXPECT_EQ(log, (Log{"large EMSGSIZE", "small OK"}));
}

TEST_F(UdpTest, a_group_delivers_to_its_members) {
  ASSERT_TRUE(receiver.bind(Address::parse("0.0.0.0", 0).value(), {.reuse_address = true}));
  const Address group = Address::parse("239.255.7.7", receiver.local_address()->port()).value();
  ASSERT_TRUE(sender.bind(Address::parse("127.0.0.1", 0).value()));
  ASSERT_TRUE(sender.set_multicast_loop(true));
  ASSERT_TRUE(sender.set_multicast_ttl(0));
  constexpr unsigned kLoopback = 1;  // the first interface of every network namespace
  ASSERT_TRUE(receiver.join(group, kLoopback));
  EXPECT_EQ(receiver.join(group, kLoopback).error(), Error::address_in_use);
  const in_addr on_loopback{.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(sender.fd(), IPPROTO_IP, IP_MULTICAST_IF, &on_loopback, sizeof(on_loopback));
  receiver.receive();
  if (!sender.try_send(as_bytes("all"), &group)) GTEST_SKIP() << "no route for multicast here";
  run_until([&] { return receiver.received.size() == 1; });
  EXPECT_TRUE(receiver.leave(group, kLoopback));
  EXPECT_EQ(name_of(receiver.leave(group, kLoopback).error()), "EADDRNOTAVAIL");
}

TEST_F(UdpTest, options_need_a_socket_and_sane_values) {
  EXPECT_EQ(sender.set_ttl(5).error(), Error::not_connected);
  EXPECT_EQ(receiver.receive_start([](Udp&, const Datagram&) {}, [](Udp&, Error) {}).error(),
            Error::not_connected);
  bound_receiver();
  EXPECT_EQ(receiver.set_ttl(0).error(), Error::bad_state);
  EXPECT_TRUE(receiver.set_ttl(64));
  EXPECT_TRUE(receiver.set_broadcast(true));
  EXPECT_EQ(sender.bind(receiver.local_address().value()).error(), Error::address_in_use);
  EXPECT_EQ(receiver.receive_start([](Udp&, const Datagram&) {}, [](Udp&, Error) {}, 0).error(),
            Error::bad_state);
}

}  // namespace
}  // namespace refloop::udp_test
