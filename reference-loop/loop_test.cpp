#include "reference-loop/loop.h"

#include <gtest/gtest.h>

#include "reference-loop/listener.h"
#include "reference-loop/tcp.h"
#include "reference-loop/timer.h"
namespace refloop {
namespace {
TEST(Loop, smoke) {
  auto loop = Loop::create().value();
  static int n;
  n = 0;
  Timer t(*loop);
  ASSERT_TRUE(t.start(
      [](Timer& x) {
        if (++n == 3) x.stop();
      },
      Nanos{1000}, Nanos{1000}));
  EXPECT_FALSE(loop->run());
  EXPECT_EQ(n, 3);
}
}  // namespace
}  // namespace refloop
