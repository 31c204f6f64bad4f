#include "reference-loop/poll.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reference-loop/listener.h"
#include "reference-loop/pipe.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::poll_test {
namespace {

// A watched socket and the other end of it.
struct Watched : Poll {
  Watched(Loop& loop, Socket socket) : Poll(loop, socket.fd()), owned(std::move(socket)) {}
  Socket owned;
  std::vector<std::uint32_t> events;
  std::function<void()> on_ready;
  Result<void> wait_for(std::uint32_t wanted) {
    return start(wanted, [](Poll& poll, std::uint32_t ready) {
      auto& self = static_cast<Watched&>(poll);
      self.events.push_back(ready);
      if (self.on_ready) self.on_ready();
    });
  }
};

struct PollTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  std::pair<Socket, Socket> pair = Pipe::make_pair().value();
  std::pair<Socket, Socket> other_pair = Pipe::make_pair().value();
  Watched first{*loop, std::move(pair.first)};
  Watched second{*loop, std::move(other_pair.first)};
  Socket peer = std::move(pair.second);
  Socket other_peer = std::move(other_pair.second);

  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  }
  void TearDown() override {
    for (Poll* poll : {static_cast<Poll*>(&first), static_cast<Poll*>(&second)}) {
      if (!poll->is_closing()) poll->close();
    }
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(PollTest, reports_what_holds_of_what_is_waited_for) {
  ASSERT_TRUE(first.wait_for(EPOLLOUT));
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.back(), EPOLLOUT);
  ASSERT_EQ(::write(peer.fd(), "x", 1), 1);
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.back(), EPOLLOUT) << "readable, but nobody asked";
  ASSERT_TRUE(first.wait_for(EPOLLIN | EPOLLOUT));
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.back(), EPOLLIN | EPOLLOUT);
  ASSERT_TRUE(first.wait_for(EPOLLRDHUP));
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.size(), 3u);
  ::shutdown(peer.fd(), SHUT_WR);
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.back(), EPOLLRDHUP);
  peer.reset();
  // A backend may have looked for this turn's events at the end of the last.
  for (int turn = 0; turn < 2; ++turn) loop->run(RunMode::nowait);
  EXPECT_TRUE(first.events.back() & EPOLLHUP) << "of which nobody needs to ask";
}

TEST_F(PollTest, once_per_turn_while_it_holds) {
  ASSERT_TRUE(first.wait_for(EPOLLOUT));
  for (std::size_t turn = 1; turn <= 5; ++turn) {
    loop->run(RunMode::nowait);
    EXPECT_EQ(first.events.size(), turn);
  }
  first.stop();
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(first.events.size(), 5u);
}

TEST_F(PollTest, one_that_is_closed_or_stopped_by_the_other_hears_nothing) {
  for (const bool closes : {false, true}) {
    first.events.clear();
    second.events.clear();
    first.on_ready = [&] { closes ? second.close() : second.stop(); };
    second.on_ready = [&] { closes ? first.close() : first.stop(); };
    ASSERT_TRUE(first.wait_for(EPOLLOUT));
    ASSERT_TRUE(second.wait_for(EPOLLOUT));
    loop->run(RunMode::nowait);
    EXPECT_EQ(first.events.size() + second.events.size(), 1u) << "both were ready in one batch";
    for (Watched* one : {&first, &second}) {
      if (!one->is_closing()) one->stop();
    }
  }
}

TEST_F(PollTest, what_a_callback_of_the_batch_no_longer_waits_for_is_not_reported) {
  ASSERT_EQ(::write(peer.fd(), "x", 1), 1);
  ASSERT_EQ(::write(other_peer.fd(), "x", 1), 1);
  first.on_ready = [&] { EXPECT_TRUE(second.wait_for(EPOLLRDHUP)); };
  second.on_ready = [&] { EXPECT_TRUE(first.wait_for(EPOLLRDHUP)); };
  ASSERT_TRUE(first.wait_for(EPOLLIN));
  ASSERT_TRUE(second.wait_for(EPOLLIN));
  loop->run(RunMode::nowait);
  EXPECT_EQ(first.events.size() + second.events.size(), 1u);
}

TEST_F(PollTest, changing_what_is_waited_for_in_the_callback_counts_from_the_next_turn) {
  ASSERT_EQ(::write(peer.fd(), "x", 1), 1);
  first.on_ready = [&] {
    if (first.events.size() == 2) return first.close();
    EXPECT_TRUE(first.wait_for(EPOLLOUT));
  };
  ASSERT_TRUE(first.wait_for(EPOLLIN));
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(first.events, (std::vector<std::uint32_t>{EPOLLIN, EPOLLOUT}));
}

TEST_F(PollTest, nobody_shares_a_descriptor_whoever_comes_second) {
  Poll sharer(*loop, first.fd());
  const auto ignore = [](Poll&, std::uint32_t) {};
  ASSERT_TRUE(first.wait_for(EPOLLIN));
  EXPECT_EQ(name_of(sharer.start(EPOLLOUT, ignore).error()), "EEXIST");
  first.stop();
  EXPECT_TRUE(sharer.start(EPOLLOUT, ignore));
  sharer.close();
  loop->run(RunMode::nowait);

  auto [ours, theirs] = Pipe::make_pair().value();
  const int fd = ours.fd();
  Pipe stream(*loop, {.passes_descriptors = true});
  ASSERT_TRUE(stream.adopt(std::move(ours)));
  ASSERT_TRUE(stream.read_start([](Stream&, Bytes) {}, [](Stream&, Error) {}));
  Poll of_a_stream(*loop, fd);
  EXPECT_EQ(name_of(of_a_stream.start(EPOLLIN, ignore).error()), "EEXIST");
  EXPECT_FALSE(of_a_stream.is_active());
  stream.close();
  loop->run(RunMode::nowait);
}

TEST_F(PollTest, nobody_shares_the_descriptor_of_a_stream_that_reads) {
  const auto ignore = [](Poll&, std::uint32_t) {};
  const auto read = [](Stream& stream, Bytes bytes) {
    *static_cast<std::size_t*>(stream.data) += bytes.size();
  };
  auto [ours, theirs] = Pipe::make_pair().value();
  std::size_t received = 0;
  Pipe stream(*loop);
  stream.data = &received;
  ASSERT_TRUE(stream.adopt(std::move(ours)));
  Poll sharer(*loop, stream.fd());
  ASSERT_TRUE(sharer.start(EPOLLIN, ignore));
  EXPECT_EQ(name_of(stream.read_start(read, [](Stream&, Error) {}).error()), "EEXIST");
  EXPECT_FALSE(stream.is_active());
  sharer.stop();
  ASSERT_TRUE(stream.read_start(read, [](Stream&, Error) {}));
  EXPECT_EQ(name_of(sharer.start(EPOLLIN, ignore).error()), "EEXIST");
  EXPECT_FALSE(sharer.is_active());
  ASSERT_EQ(::write(theirs.fd(), "x", 1), 1);
  for (int turn = 0; turn < 3; ++turn) loop->run(RunMode::nowait);
  EXPECT_EQ(received, 1u);
  sharer.close();
  stream.close();
  loop->run(RunMode::nowait);
}

TEST_F(PollTest, nobody_shares_the_descriptor_of_a_listener) {
  Listener listener(*loop);
  ASSERT_TRUE(listener.listen(Address::parse("127.0.0.1", 0).value(), {}, [](Listener&, Socket) {}));
  Poll sharer(*loop, listener.fd());
  EXPECT_EQ(name_of(sharer.start(EPOLLIN, [](Poll&, std::uint32_t) {}).error()), "EEXIST");
  EXPECT_FALSE(sharer.is_active());
  sharer.close();
  listener.close();
  loop->run(RunMode::nowait);
}

TEST_F(PollTest, what_cannot_be_waited_for_is_refused) {
  const auto ignore = [](Poll&, std::uint32_t) {};
  const Socket file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(name_of(Poll(*loop, file.fd()).start(EPOLLIN, ignore).error()), "EPERM");
  EXPECT_EQ(name_of(Poll(*loop, -1).start(EPOLLIN, ignore).error()), "EBADF");
  EXPECT_EQ(first.start(0, ignore).error(), Error::bad_state);
  EXPECT_EQ(first.start(EPOLLIN, nullptr).error(), Error::bad_state);
  first.close();
  EXPECT_EQ(first.start(EPOLLIN, ignore).error(), Error::bad_state);
}

}  // namespace
}  // namespace refloop::poll_test
