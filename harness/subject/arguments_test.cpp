#include "harness/subject/arguments.h"

#include <gtest/gtest.h>
#include <vector>

namespace tickmark::subject::arguments_test {
namespace {

SubjectDescription description() {
  SubjectDescription some;
  some.name = "some";
  some.workloads = {"hello", "sockets"};
  some.options = {{"pool", "4"}, {"write", "try"}};
  return some;
}

Expected<Request> parse(std::vector<const char*> words, bool can_play = true) {
  return parse_arguments(words, description(), can_play);
}

TEST(Arguments, serve_has_the_defaults_of_the_contract) {
  const auto request = parse({"serve", "--workload", "hello"});
  ASSERT_TRUE(request) << request.error().message;
  const auto& serve = std::get<ServeRequest>(*request);
  EXPECT_EQ(serve.workload, "hello");
  EXPECT_EQ(serve.address, "127.0.0.1");
  EXPECT_EQ(serve.port, 0);
  EXPECT_EQ(serve.options, (Parameters{{"pool", "4"}, {"write", "try"}}));
}

TEST(Arguments, serve_takes_everything) {
  const auto request = parse({"serve", "--workload=sockets", "--option", "pool=8", "--param", "size=64",
                              "--param", "x=a=b", "--address", "127.0.0.2", "--port", "7000"});
  ASSERT_TRUE(request) << request.error().message;
  const auto& serve = std::get<ServeRequest>(*request);
  EXPECT_EQ(serve.options.at("pool"), "8");
  EXPECT_EQ(serve.params, (Parameters{{"size", "64"}, {"x", "a=b"}}));
  EXPECT_EQ(serve.address, "127.0.0.2");
  EXPECT_EQ(serve.port, 7000);
}

TEST(Arguments, play_takes_everything) {
  const auto request = parse({"play", "--scenarios", "s", "--trace", "t", "--mode", "cjs", "--serve", "hello",
                              "--option", "pool=1"});
  ASSERT_TRUE(request) << request.error().message;
  const auto& play = std::get<PlayRequest>(*request);
  EXPECT_EQ(play.scenarios, "s");
  EXPECT_EQ(play.trace, "t");
  EXPECT_EQ(play.mode, "cjs");
  EXPECT_EQ(play.serve, "hello");
  EXPECT_EQ(play.options, (Parameters{{"pool", "1"}, {"write", "try"}}));
}

TEST(Arguments, describe_and_help_are_known) {
  EXPECT_TRUE(std::holds_alternative<DescribeRequest>(*parse({"describe"})));
  EXPECT_TRUE(std::holds_alternative<HelpRequest>(*parse({"--help"})));
  EXPECT_TRUE(std::holds_alternative<HelpRequest>(*parse({"serve", "--help"})));
}

TEST(Arguments, what_is_wrong_is_named) {
  struct Case {
    std::vector<const char*> words;
    const char* named;
  };
  const Case cases[] = {
      {{}, "verb"},
      {{"dance"}, "'dance'"},
      {{"describe", "me"}, "'me'"},
      {{"serve"}, "--workload"},
      {{"serve", "--workload"}, "--workload needs a value"},
      {{"serve", "hello"}, "'hello' is not a flag"},
      {{"serve", "--workload", "dns"}, "'dns'"},
      {{"serve", "--workload", "hello", "--colour", "red"}, "'--colour'"},
      {{"serve", "--workload", "hello", "--option", "pol=3"}, "'pol'"},
      {{"serve", "--workload", "hello", "--option", "pool"}, "'pool': expected key=value"},
      {{"serve", "--workload", "hello", "--option", "pool=1", "--option", "pool=2"}, "twice"},
      {{"serve", "--workload", "hello", "--port", "70000"}, "'70000'"},
      {{"serve", "--workload", "hello", "--port", "-1"}, "'-1'"},
      {{"serve", "--workload", "hello", "--port", ""}, "--port ''"},
      {{"play", "--scenarios", "s"}, "--trace"},
      {{"play", "--scenarios", "s", "--trace", "t", "--serve", "dns"}, "'dns'"}};
  for (const Case& one : cases) {
    const auto request = parse(one.words);
    ASSERT_FALSE(request) << one.named;
    EXPECT_EQ(request.error().kind, ErrorKind::kUsage);
    EXPECT_NE(request.error().message.find(one.named), std::string::npos) << request.error().message;
    EXPECT_EQ(request.error().message.find('\n'), std::string::npos);
  }
}

TEST(Arguments, play_without_a_player_is_refused) {
  const auto request = parse({"play", "--scenarios", "s", "--trace", "t"}, false);
  ASSERT_FALSE(request);
  EXPECT_NE(request.error().message.find("no conformance player"), std::string::npos);
}

TEST(Arguments, help_names_workloads_and_options) {
  const std::string text = usage_text(description(), true);
  for (const char* part : {"subject_some", "hello sockets", "pool=4", "write=try", "play"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(usage_text(description(), false).find("play"), std::string::npos);
}

}  // namespace
}  // namespace tickmark::subject::arguments_test
