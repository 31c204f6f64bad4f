// A poll that the kernel could not make says nothing of the descriptor: who is connecting is not connected.
#include <gtest/gtest.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "reference-loop/faults/injector.h"
#include "reference-loop/loop.h"
#include "reference-loop/pipe.h"
#include "reference-loop/tcp.h"
#include "reference-loop/timer.h"

namespace refloop::faults::connect_fault_test {
namespace {

// Listens, accepts nothing, and has no room for another: who connects waits.
class BusyPort {
 public:
  BusyPort() {
    const Address any = Address::parse("127.0.0.1", 0).value();
    if (::bind(socket_.fd(), any.raw(), any.size()) != 0 || ::listen(socket_.fd(), 0) != 0) return;
    address_ = Address::local_of(socket_.fd()).value();
    for (int i = 0; i < 4; ++i) {
      Socket& guest = guests_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(guest.fd(), address_->raw(), address_->size());
    }
  }
  const std::optional<Address>& address() const { return address_; }

 private:
  Socket socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::optional<Address> address_;
  std::vector<Socket> guests_;
};

TEST(ConnectFault, a_poll_that_failed_is_no_connection) {
  for (const int error : {EAGAIN, ECANCELED, EINTR, ENOMEM}) {
    const BusyPort port;
    ASSERT_TRUE(port.address());
    auto loop = Loop::create({.backend = BackendKind::io_uring});
    if (!loop) GTEST_SKIP() << "no such backend here";
    (*loop)->run(RunMode::nowait);  // what the loop itself polls is submitted before the strike
    Tcp client(**loop);
    std::vector<Error> outcomes;
    client.data = &outcomes;
    Injector::instance().arm({.call = "IORING_OP_POLL_ADD", .error = error});
    ASSERT_TRUE(client.connect(*port.address(), [](Stream& stream, Error outcome) {
      static_cast<std::vector<Error>*>(stream.data)->push_back(outcome);
    }));
    for (int turn = 0; turn < 4; ++turn) (*loop)->run(RunMode::nowait);
    EXPECT_EQ(Injector::instance().hits(), 1u);
    Injector::instance().disarm();
    EXPECT_TRUE(outcomes.empty()) << error;
    client.close();
    (*loop)->run();
    EXPECT_EQ(outcomes, std::vector<Error>{Error::canceled}) << error;
  }
}

// The receive that was to be cancelled keeps the socket open: unless it is cancelled again, the peer never
// hears of the close.
TEST(CancelFault, of_a_close_whose_cancel_came_too_early_the_peer_hears_all_the_same) {
  for (const unsigned times : {1u, 3u}) {
    auto loop = Loop::create({.backend = BackendKind::io_uring});
    if (!loop) GTEST_SKIP() << "no such backend here";
    auto [ours, theirs] = Pipe::make_pair().value();
    Pipe stream(**loop);
    ASSERT_TRUE(stream.adopt(std::move(ours)));
    ASSERT_TRUE(stream.read_start([](Stream&, Bytes) {}, [](Stream&, Error) {}));
    (*loop)->run(RunMode::nowait);
    Injector::instance().arm({.call = "IORING_OP_ASYNC_CANCEL", .error = EALREADY, .times = times});
    stream.close();
    char byte;
    ssize_t received = -1;
    Timer turning(**loop);  // a loop with nothing to do would not look for completions
    for (int turn = 0; turn < 20 && received < 0; ++turn) {
      (void)turning.start([](Timer&) {}, Nanos{0});
      (*loop)->run(RunMode::nowait);
      received = ::recv(theirs.fd(), &byte, 1, MSG_DONTWAIT);
    }
    EXPECT_EQ(received, 0) << times;
    EXPECT_EQ(Injector::instance().hits(), times);
    Injector::instance().disarm();
  }
}

}  // namespace
}  // namespace refloop::faults::connect_fault_test
