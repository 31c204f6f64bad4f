#include "harness/subject/slowdown.h"

#include <gtest/gtest.h>
#include <time.h>

#include "harness/base/time.h"

namespace tickmark::subject::slowdown_test {
namespace {

Nanos thread_cpu_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return Nanos{int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}

/// A request that costs 50 us of CPU, however busy the machine is.
class Burn final : public StreamService {
 public:
  void on_bytes(Connection&, std::string_view) const override {
    const Nanos until = thread_cpu_time() + 50us;
    while (thread_cpu_time() < until) continue;
  }
};

class NoConnection final : public Connection {
 public:
  void send(std::string_view) override {}
  void close() override {}
  void offload(Work, Then) override {}
};

double cpu_seconds(double share, int requests) {
  Service service;
  service.stream = std::make_unique<Burn>();
  service = slowed_down(std::move(service), Slowdown{.share = share});
  NoConnection connection;
  const Nanos begin = thread_cpu_time();
  for (int i = 0; i < requests; ++i) service.stream->on_bytes(connection, "x");
  return seconds(thread_cpu_time() - begin);
}

TEST(Slowdown, adds_its_share_of_the_cpu_that_requests_cost) {
  constexpr int kRequests = 1600;
  const double plain = cpu_seconds(0, kRequests);
  EXPECT_NEAR(cpu_seconds(0.2, kRequests) / plain, 1.2, 0.02);
}

TEST(Slowdown, is_a_percentage_or_a_number_of_instructions) {
  EXPECT_DOUBLE_EQ(parse_slowdown("5%").value().share, 0.05);
  EXPECT_DOUBLE_EQ(parse_slowdown("2.5").value().share, 0.025);
  EXPECT_DOUBLE_EQ(parse_slowdown("0%").value().share, 0);
  EXPECT_EQ(parse_slowdown("300i").value().instructions, 300u);
  EXPECT_EQ(parse_slowdown("300i").value().share, 0);
  EXPECT_EQ(parse_slowdown("0i").value().instructions, 0u);
  for (const char* wrong :
       {"", "%", "fast", "-1%", "101%", "5%%", "nan", "i", "-2i", "1.5i", "1000000001i", "5i%"}) {
    const auto slowdown = parse_slowdown(wrong);
    ASSERT_FALSE(slowdown) << wrong;
    EXPECT_NE(slowdown.error().message.find("0 to 100"), std::string::npos);
  }
}

}  // namespace
}  // namespace tickmark::subject::slowdown_test
