// Streams under pressure: readers that stop, writers that outrun the socket, more data than buffers. The
// other end is a socket in the test's own hands, so that every step is the test's to choose.
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "reference-loop/listener.h"
#include "reference-loop/stream.h"
#include "reference-loop/test_loop.h"
#include "reference-loop/timer.h"
#include "reference-loop/watcher.h"

namespace refloop::stream_flow_test {
namespace {

using namespace std::chrono_literals;

// Bytes that tell where in a stream they belong.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// A stream of the loop, and the descriptor of its peer.
struct End : Stream {
  explicit End(Loop& loop) : Stream(loop) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    EXPECT_TRUE(adopt(Socket(pair[0])));
    peer = Socket(pair[1]);
  }
  // Sends without blocking; how much the kernel took.
  std::size_t give(std::string_view bytes) const {
    const ssize_t sent = ::send(peer.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  // What has arrived at the peer by now.
  std::string take() const {
    std::string bytes(64 * 1024, '\0');
    const ssize_t got = ::recv(peer.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }
  void read() {
    ASSERT_TRUE(read_start(
        [](Stream& stream, Bytes bytes) {
          auto& self = static_cast<End&>(stream);
          EXPECT_TRUE(self.is_reading) << "read callback after read_stop()";
          self.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          if (self.stops_after_each) self.stop();
          if (self.echoes) (void)self.send(bytes);
        },
        [](Stream& stream, Error error) {
          auto& self = static_cast<End&>(stream);
          ++self.ends;
          self.end = error;
        }));
    is_reading = true;
  }
  void stop() {
    is_reading = false;
    read_stop();
  }

  Socket peer;
  std::string received;
  int ends = 0;
  Error end = Error::none;
  bool is_reading = false;
  bool stops_after_each = false;
  bool echoes = false;
};

struct StreamFlow : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  std::vector<std::unique_ptr<End>> ends;
  Timer keeper{*loop};  // keeps the loop alive while nothing else does

  End& open() { return *ends.emplace_back(std::make_unique<End>(*loop)); }
  void turn(int times = 1) {
    for (int i = 0; i < times; ++i) loop->run(RunMode::nowait);
  }
  void SetUp() override {
    (void)keeper.start([](Timer&) {}, 1h);
  }
  void TearDown() override {
    keeper.stop();
    for (auto& end : ends) {
      if (!end->is_closing()) end->close();
    }
    loop->run();
  }
};

TEST_F(StreamFlow, more_data_than_all_receive_buffers_hold_arrives_complete_and_in_order) {
  const std::string sent = pattern(150'000);
  for (int i = 0; i < 40; ++i) open();
  for (auto& end : ends) {
    end->read();
    ASSERT_EQ(end->give(sent), sent.size());
  }
  for (int i = 0; i < 100; ++i) turn();
  for (auto& end : ends) EXPECT_TRUE(end->received == sent) << end->received.size();
}

TEST_F(StreamFlow, a_reader_that_stopped_gets_everything_later_and_the_end_once_behind_it) {
  const std::string sent = pattern(100'000);
  End& end = open();
  end.read();
  turn();
  end.stop();
  ASSERT_EQ(end.give(sent), sent.size());
  end.peer.reset();
  turn(5);
  EXPECT_EQ(end.received, "");
  EXPECT_EQ(end.ends, 0);
  end.read();
  EXPECT_EQ(end.received, "") << "called back inside read_start()";
  turn(10);
  EXPECT_TRUE(end.received == sent) << end.received.size();
  EXPECT_EQ(end.ends, 1);
  EXPECT_EQ(end.end, Error::none);
}

TEST_F(StreamFlow, a_reader_that_stops_inside_every_callback_loses_nothing) {
  const std::string sent = pattern(150'000);
  End& end = open();
  end.stops_after_each = true;
  end.read();
  ASSERT_EQ(end.give(sent), sent.size());
  end.peer.reset();
  for (int i = 0; i < 200 && end.ends == 0; ++i) {
    turn();
    if (!end.is_reading) end.read();
  }
  EXPECT_TRUE(end.received == sent) << end.received.size();
  EXPECT_EQ(end.ends, 1);
}

// The peer fills the socket again after every turn. What a stopped reader lets it send must end somewhere.
TEST_F(StreamFlow, a_reader_that_stopped_holds_its_peer_back) {
  const std::string more = pattern(256 * 1024);
  End& end = open();
  end.read();
  turn();
  end.stop();
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) {
    taken += end.give(more);
    turn();
  }
  EXPECT_LT(taken, 4u << 20) << "a reader that stopped made the loop receive on and on";
}

TEST_F(StreamFlow, a_writer_that_outruns_its_peer_is_queued_and_nothing_overtakes) {
  const std::string sent = pattern(4 << 20);
  End& end = open();
  std::size_t given = 0;
  std::string arrived;
  // Sends of many sizes, two of each kind per callback, from inside the loop.
  struct Sender : Idle {
    using Idle::Idle;
    std::function<void()> action;
  } sender(*loop);
  sender.action = [&] {
    for (const std::size_t size : {1u, 64u, 5'000u, 17'000u, 40u}) {
      const std::size_t now = std::min(size, sent.size() - given);
      ASSERT_TRUE(end.send(bytes_of(sent).subspan(given, now / 2),
                           bytes_of(sent).subspan(given + now / 2, now - now / 2)));
      given += now;
      if (given % 3 != 0) continue;
      const auto tried =
          end.try_write(bytes_of(sent).subspan(given, std::min<std::size_t>(100, sent.size() - given)));
      if (tried) given += *tried;
    }
    if (given == sent.size()) sender.stop();
  };
  ASSERT_TRUE(sender.start([](Watcher& watcher) { static_cast<Sender&>(watcher).action(); }));
  for (int i = 0; i < 5'000 && arrived.size() < sent.size(); ++i) {
    turn();
    if (i % 4 != 3) continue;  // slower than the writer
    std::string chunk = end.take();
    EXPECT_EQ(chunk.compare(0, chunk.size(), sent, arrived.size(), chunk.size()), 0)
        << "at " << arrived.size();
    if (::testing::Test::HasFailure()) break;
    arrived += chunk;
  }
  EXPECT_EQ(arrived.size(), sent.size());
  EXPECT_EQ(end.queued_bytes(), 0u);
}

TEST_F(StreamFlow, what_was_sent_before_close_arrives_although_both_happened_in_one_callback) {
  End& end = open();
  Timer timer(*loop);
  timer.data = &end;
  (void)timer.start(
      [](Timer& self) {
        auto& target = *static_cast<End*>(self.data);
        EXPECT_TRUE(target.send(bytes_of("last ")));
        EXPECT_TRUE(target.send(bytes_of("words")));
        target.close();
      },
      0ms);
  turn(2);
  EXPECT_EQ(end.take(), "last words");
  pollfd hung_up{.fd = end.peer.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&hung_up, 1, 0), 1) << "the peer was not told of the end";
}

TEST_F(StreamFlow, is_flushed_tells_the_truth_about_bytes_sent_in_the_same_callback) {
  End& end = open();
  Timer timer(*loop);
  struct Context {
    End* end;
    std::size_t queued = 0;
    std::size_t sent = 0;
  } context{&end};
  timer.data = &context;
  (void)timer.start(
      [](Timer& self) {
        auto& in = *static_cast<Context*>(self.data);
        const std::string bytes = pattern(1'000);
        while (in.queued == 0 && in.sent < 10'000'000) {
          EXPECT_TRUE(in.end->send(bytes_of(bytes)));
          in.sent += bytes.size();
          if (!in.end->is_flushed()) in.queued = in.end->queued_bytes();
        }
      },
      0ms);
  turn(1);
  std::string arrived;
  for (std::string chunk = end.take(); !chunk.empty(); chunk = end.take()) arrived += chunk;
  EXPECT_EQ(arrived.size() + context.queued, context.sent);
}

TEST_F(StreamFlow, an_echo_may_send_the_buffer_it_was_lent) {
  const std::string sent = pattern(60'000);
  for (int i = 0; i < 30; ++i) open().echoes = true;
  for (auto& end : ends) {
    end->read();
    ASSERT_EQ(end->give(sent), sent.size());
  }
  std::vector<std::string> echoed(ends.size());
  for (int i = 0; i < 50; ++i) {
    turn();
    for (std::size_t e = 0; e < ends.size(); ++e) echoed[e] += ends[e]->take();
  }
  for (const std::string& text : echoed) EXPECT_TRUE(text == sent) << text.size();
}

TEST_F(StreamFlow, events_of_a_stream_closed_earlier_in_the_batch_find_nobody) {
  for (int i = 0; i < 20; ++i) open();
  // Whoever is read first closes all the others, whose data is in the same batch.
  static std::vector<std::unique_ptr<End>>* all;
  static int reads;
  all = &ends;
  reads = 0;
  for (auto& end : ends) {
    ASSERT_TRUE(end->read_start(
        [](Stream& stream, Bytes) {
          ++reads;
          for (auto& other : *all) {
            if (other.get() != &stream && !other->is_closing()) other->close();
          }
        },
        [](Stream&, Error) { FAIL() << "ended"; }));
    ASSERT_EQ(end->give("data"), 4u);
  }
  turn(3);
  EXPECT_EQ(reads, 1);
}

TEST_F(StreamFlow, the_port_of_a_closed_listener_is_free_at_once) {
  const auto ignore = [](Listener&, Socket) {};
  Listener first(*loop);
  ASSERT_TRUE(first.listen(Address::parse("127.0.0.1", 0).value(), {}, ignore));
  const Address address = first.local_address().value();
  turn(2);
  first.close();
  Listener second(*loop);
  EXPECT_TRUE(second.listen(address, {}, ignore));
  second.close();
  turn(2);
}

}  // namespace
}  // namespace refloop::stream_flow_test
