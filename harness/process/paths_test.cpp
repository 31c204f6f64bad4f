#include "harness/process/paths.h"

#include <gtest/gtest.h>

namespace tickmark::process {
namespace {

TEST(Paths, what_lies_below_the_root_is_told_from_there) {
  EXPECT_EQ(told_from("/opt/tree", "at /opt/tree/a.cjs:3 (file:///opt/tree/b/c.mjs)"),
            "at a.cjs:3 (file://b/c.mjs)");
  EXPECT_EQ(told_from("/opt/tree", "/opt/treetop/a /opt/tree"), "/opt/treetop/a /opt/tree");
  EXPECT_EQ(told_from("", "/a/b"), "/a/b");
}

}  // namespace
}  // namespace tickmark::process
