// A poll that the kernel could not make says nothing of the descriptor: who is connecting is not connected.
#include <gtest/gtest.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "reference-loop/faults/injector.h"
#include "reference-loop/loop.h"
#include "reference-loop/tcp.h"

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

}  // namespace
}  // namespace refloop::faults::connect_fault_test
