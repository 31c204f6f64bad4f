#include "harness/process/paths.h"

#include <gtest/gtest.h>

namespace tickmark::process {
namespace {

TEST(Paths, what_lies_below_the_root_is_told_from_there) {
  EXPECT_EQ(told_from("/home/x/tree", "at /home/x/tree/a.cjs:3 (file:///home/x/tree/b/c.mjs)"),
            "at a.cjs:3 (file://b/c.mjs)");
  EXPECT_EQ(told_from("/home/x/tree", "/home/x/treetop/a /home/x/tree"), "/home/x/treetop/a /home/x/tree");
  EXPECT_EQ(told_from("", "/a/b"), "/a/b");
}

}  // namespace
}  // namespace tickmark::process
