// Where connections come from, and the place the generator waits.
#include "harness/load/sources.h"

#include <gtest/gtest.h>
#include <set>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>

#include "harness/load/poller.h"
#include "harness/load/truth_server.h"

namespace tickmark::load {
namespace {

/// The source address of one fresh connection, host byte order.
uint32_t source_of(Sources& sources) {
  Expected<UniqueFd> fd = sources.open_socket();
  EXPECT_TRUE(fd.has_value());
  const sockaddr_in& target = sources.target();
  ::connect(fd->get(), reinterpret_cast<const sockaddr*>(&target), sizeof target);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&own), &size);
  EXPECT_NE(own.sin_port, 0);
  return ntohl(own.sin_addr.s_addr);
}

TEST(Sources, ALoopbackTargetIsAskedFromSeveralAddresses) {
  TruthServer server(nullptr);
  auto sources = Sources::make("127.0.0.1", server.port(), 5000, 3);
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->count(), 2u);
  std::set<uint32_t> seen;
  for (int i = 0; i < 4; ++i) seen.insert(source_of(*sources));
  EXPECT_EQ(seen.size(), 2u);
  for (uint32_t address : seen) EXPECT_EQ(address >> 8, 0x7f0000u);
  EXPECT_FALSE(seen.contains(0x7f000001));
}

TEST(Sources, ConsecutiveLoadsUseDifferentOnesAndMoreConnectionsMore) {
  TruthServer server(nullptr);
  auto first = Sources::make("127.0.0.1", server.port(), 20'001, 7);
  auto second = Sources::make("127.0.0.1", server.port(), 20'001, 8);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->count(), 3u);
  std::set<uint32_t> seen;
  for (int i = 0; i < 3; ++i) {
    seen.insert(source_of(*first));
    seen.insert(source_of(*second));
  }
  EXPECT_EQ(seen.size(), 6u);
}

TEST(Sources, AForeignTargetLeavesTheChoiceToTheKernel) {
  auto sources = Sources::make("192.0.2.1", 80, 5000, 3);
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->count(), 0u);
  EXPECT_FALSE(Sources::make("example.org", 80, 1, 0).has_value());
  EXPECT_FALSE(Sources::make("127.0.0.1", 0, 1, 0).has_value());
}

TEST(Poller, NeverReturnsEmptyHandedBeforeTheDeadline) {
  for (const Spin spin : {Spin::kNever, Spin::kBeforeDeadlines, Spin::kAlways}) {
    auto poller = Poller::make(spin);
    ASSERT_TRUE(poller.has_value());
    for (Nanos wait : {Nanos{0}, Nanos{50us}, Nanos{3ms}}) {
      Nanos until = now() + wait;
      EXPECT_TRUE(poller->wait(until).empty());
      EXPECT_GE(now(), until);
    }
    EXPECT_EQ(poller->spun() > Nanos{0}, spin != Spin::kNever);
    EXPECT_LE(poller->spun(), thread_cpu_time());
  }
}

/// Far from a deadline only kAlways looks again and again; the others are woken.
TEST(Poller, OnlyOneThatNeverSleepsSpinsForAReply) {
  for (const Spin spin : {Spin::kNever, Spin::kBeforeDeadlines, Spin::kAlways}) {
    auto poller = Poller::make(spin);
    ASSERT_TRUE(poller.has_value());
    const UniqueFd reply(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    ASSERT_EQ(poller->add(reply.get(), 7), 0);
    while (!poller->wait(now()).empty()) continue;  // an eventfd is ready for writing from the start
    std::thread server([&] {
      std::this_thread::sleep_for(3ms);
      ::eventfd_write(reply.get(), 1);
    });
    const auto events = poller->wait(now() + 60s);
    server.join();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].data.u64, 7u);
    EXPECT_EQ(poller->spun() > Nanos{0}, spin == Spin::kAlways);
  }
}

}  // namespace
}  // namespace tickmark::load
