#include "reference-loop/resolve.h"

#include <algorithm>
#include <future>
#include <gtest/gtest.h>

#include "reference-loop/fs.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::resolve_test {
namespace {

struct ResolveTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop({.pool_size = 1});
  ResolveRequest request{*loop};
  Error outcome = Error::busy;

  void SetUp() override { request.data = this; }
  static void keep(ResolveRequest& self, Error error) {
    static_cast<ResolveTest*>(self.data)->outcome = error;
  }
  std::vector<std::string> hosts() const {
    std::vector<std::string> hosts;
    for (const Address& address : request.addresses()) hosts.push_back(address.host());
    return hosts;
  }
};

TEST_F(ResolveTest, a_number_takes_no_thread_but_completes_later) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    outcome = Error::busy;
    request.resolve(host, "8080", keep);
    EXPECT_EQ(outcome, Error::busy) << "never inside the call";
    EXPECT_TRUE(loop->alive());
    loop->run();
    EXPECT_EQ(outcome, Error::none);
    EXPECT_EQ(hosts(), std::vector<std::string>{host});
    EXPECT_EQ(request.addresses().front().port(), 8080);
  }
  EXPECT_EQ(loop->pool().threads(), 0u);
  EXPECT_EQ(request.cancel().error(), Error::busy);
}

TEST_F(ResolveTest, a_name_is_looked_up_on_the_pool) {
  request.resolve("localhost", "80", keep, {.family = AF_INET});
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_EQ(hosts(), std::vector<std::string>{"127.0.0.1"}) << "each address once, not once per protocol";
  EXPECT_EQ(request.addresses().front().port(), 80);
  EXPECT_EQ(loop->pool().threads(), is_simulated() ? 0u : 1u);
}

TEST_F(ResolveTest, without_a_host_it_is_this_machine) {
  request.resolve("", "80", keep, {.family = AF_INET});
  loop->run();
  EXPECT_EQ(hosts(), std::vector<std::string>{"127.0.0.1"});
  request.resolve("", "80", keep, {.family = AF_INET, .passive = true});
  loop->run();
  EXPECT_EQ(hosts(), std::vector<std::string>{"0.0.0.0"});
}

TEST_F(ResolveTest, a_wrong_family_or_service_has_no_address) {
  request.resolve("127.0.0.1", "80", keep, {.family = AF_INET6});
  loop->run();
  EXPECT_NE(outcome, Error::none);
  EXPECT_NE(outcome, Error::busy);
  request.resolve("127.0.0.1", "no such service", keep);
  loop->run();
  EXPECT_EQ(name_of(outcome), "EAI_SERVICE");
}

// Whether it is known that there is none depends on whether there is a name server.
TEST_F(ResolveTest, a_name_that_does_not_exist_is_a_typed_error) {
  request.resolve("does-not-exist.invalid", "", keep);
  loop->run();
  EXPECT_TRUE(outcome == Error::name_unknown || outcome == Error::name_server_failed) << name_of(outcome);
  EXPECT_EQ(name_of(Error::name_unknown), "EAI_NONAME");
  EXPECT_EQ(message_of(Error::name_unknown), "Name or service not known");
}

TEST_F(ResolveTest, an_address_is_given_its_name) {
  request.reverse(Address::parse("127.0.0.1", 80).value(), keep);
  loop->run();
  EXPECT_EQ(outcome, Error::none);
  EXPECT_FALSE(request.host().empty());
  EXPECT_FALSE(request.service().empty());
}

TEST_F(ResolveTest, a_waiting_request_can_be_canceled) {
  if (is_simulated()) GTEST_SKIP() << "it blocks a real thread";
  std::promise<void> gate;
  loop->pool().submit([&] { gate.get_future().wait(); }, nullptr, 0, WorkClass::slow_io);
  request.resolve("localhost", "", keep);
  EXPECT_TRUE(request.cancel());
  gate.set_value();
  loop->run();
  EXPECT_EQ(outcome, Error::canceled);
}

}  // namespace
}  // namespace refloop::resolve_test
