#include "harness/vocabulary/subject.h"

#include <gtest/gtest.h>

namespace tickmark {
namespace {

TEST(SubjectName, round_trips_name_version_and_options) {
  for (const char* text : {"node", "node@24", "node:binary=./out/node", "reference_loop:backend=epoll,pool=8",
                           "cluster@1:share=handoff,workers=2"}) {
    auto parsed = SubjectName::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
  }
}

TEST(SubjectName, refuses_what_is_not_a_name_and_says_what_it_was) {
  for (const char* text :
       {"", "Node", "node@", "node:", "node:pool", "node:pool=1,pool=2", "no de", "node:=3"}) {
    auto parsed = SubjectName::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUsage);
    EXPECT_NE(parsed.error().message.find(std::string("'") + text + "'"), std::string::npos)
        << parsed.error().message;
  }
}

TEST(Speaks, a_workload_as_a_whole_or_the_variants_it_names) {
  const std::vector<std::string> some = {"fs/read_4k", "hello"};
  EXPECT_TRUE(speaks(some, "hello", ""));
  EXPECT_TRUE(speaks(some, "hello", "any"));
  EXPECT_TRUE(speaks(some, "fs", "read_4k"));
  EXPECT_FALSE(speaks(some, "fs", "mix"));
  EXPECT_FALSE(speaks(some, "fs", ""));
}

}  // namespace
}  // namespace tickmark
