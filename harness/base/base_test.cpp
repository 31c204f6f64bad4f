#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/random.h"
#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark {
namespace {

// The reference sequence for seed 1234567 is published with the algorithm (Rosetta Code, SplitMix64).
TEST(SplitMix64, gives_the_published_sequence) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
}

TEST(SplitMix64, exponential_has_mean_one) {
  SplitMix64 random(7);
  double sum = 0;
  for (int i = 0; i < 200'000; ++i) sum += random.exponential();
  EXPECT_NEAR(sum / 200'000, 1.0, 0.01);
}

TEST(Error, usage_and_environment_have_the_documented_exit_codes) {
  EXPECT_EQ(exit_code(ErrorKind::kUsage), 2);
  EXPECT_EQ(exit_code(ErrorKind::kEnvironment), 3);
}

}  // namespace
}  // namespace tickmark
