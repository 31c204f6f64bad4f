// A fault that lasts: the loop waits for better times instead of asking again and again.
#include <gtest/gtest.h>
#include <optional>

#include "reference-loop/faults/injector.h"
#include "reference-loop/faults/scenario.h"

namespace refloop::faults::long_fault_test {
namespace {

using namespace std::chrono_literals;

struct LongFault : ::testing::TestWithParam<BackendKind> {};

// Decided by counting: a loop that spins asks thousands of times, one that pauses for 50 ms three times.
TEST_P(LongFault, out_of_descriptors_the_listener_pauses) {
  Injector& injector = Injector::instance();
  for (const int error : {EMFILE, ENOMEM, EPERM}) {
    injector.arm({.call = GetParam() == BackendKind::epoll ? "accept4" : "IORING_OP_ACCEPT",
                  .error = error,
                  .first = 1,
                  .times = 1'000'000});
    Ledger ledger;
    {
      World world(GetParam(), FilesOn::pool, ledger);
      if (!world) GTEST_SKIP() << "no such backend here";
      Host host(world);
      Party client(world);
      Timer relief(world.loop());
      world.on_wind_up([&] { relief.close(); });
      ASSERT_TRUE(host.open([&](Party&) { world.wind_up(); }));
      client.connect_to(host.local_address().value(), [] {});
      (void)relief.start([](Timer&) { Injector::instance().disarm(); }, 120ms);
      world.run();
      EXPECT_GE(host.pauses(), 1u);
    }
    ledger.finish();
    EXPECT_TRUE(ledger.violations().empty()) << ledger.violations().front();
    EXPECT_GE(injector.hits(), 1u);
    EXPECT_LE(injector.hits(), 3u);
    EXPECT_LE(injector.total_calls(), 200u);
    EXPECT_EQ(ledger.outcome().at({"accept", Error::none}), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LongFault, ::testing::Values(BackendKind::epoll, BackendKind::io_uring),
                         [](const auto& backend) {
                           return backend.param == BackendKind::epoll ? "epoll" : "io_uring";
                         });

}  // namespace
}  // namespace refloop::faults::long_fault_test
