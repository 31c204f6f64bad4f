// Counting on a real subject under the real tools: that what is counted is exact, never how long it takes.

#include "harness/run/counted.h"

#include <gtest/gtest.h>
#include <optional>

#include "harness/process/paths.h"
#include "harness/run/scratch.h"
#include "harness/run/trial.h"

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

class Counted : public testing::Test {
 protected:
  void SetUp() override {
    auto registry = process::Registry::load({TICKMARK_SOURCE_DIR, fs::path(TICKMARK_BINARY_DIR) / "bin"});
    ASSERT_TRUE(registry) << registry.error().message;
    registry_.emplace(std::move(*registry));
    auto scratch = Scratch::create();
    ASSERT_TRUE(scratch);
    scratch_.emplace(std::move(*scratch));
  }

  process::ResolvedSubject resolve(const std::string& text) {
    return *registry_->resolve(*SubjectName::parse(text));
  }

  CountSetup setup_of(const process::ResolvedSubject& subject) {
    CountSetup setup;
    setup.subject = &subject;
    setup.workload = "sockets";
    setup.client = *clients_.get("sockets", "", {});
    setup.requests = kCountedRequestsMin;
    setup.scratch = scratch_->folder();
    return setup;
  }

  std::optional<process::Registry> registry_;
  std::optional<Scratch> scratch_;
  ClientCache clients_{{}, 1};
};

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;  // a sanitizer's runtime and the counting tools do not go together
#else
constexpr bool kSanitized = false;
#endif

TEST_F(Counted, system_calls_of_an_echo_are_what_its_source_says) {
  if (kSanitized || process::find_program("strace").empty())
    GTEST_SKIP() << "no strace, or a sanitizer; scripts/install-dependencies --test";
  const auto subject = resolve("raw_epoll");
  const auto calls = count_per_request(setup_of(subject), CountedMetric::kSystemCalls);
  ASSERT_TRUE(calls) << calls.error().message;
  EXPECT_NEAR(*calls, 3, 0.003) << "epoll_wait, recv, send";
}

TEST_F(Counted, instructions_are_the_same_in_each_count_and_their_file_is_kept) {
  if (kSanitized || process::find_program("valgrind").empty())
    GTEST_SKIP() << "no valgrind, or a sanitizer; scripts/install-dependencies --test";
  const auto subject = resolve("raw_epoll");
  CountSetup setup = setup_of(subject);
  const auto first = count_per_request(setup, CountedMetric::kInstructions);
  ASSERT_TRUE(first) << first.error().message;
  auto kept = Scratch::create();
  ASSERT_TRUE(kept);
  setup.evidence = kept->folder() / "sockets.baseline";
  const auto second = count_per_request(setup, CountedMetric::kInstructions);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NEAR(*first / *second, 1, 0.001);
  EXPECT_GT(*first, 50);
  EXPECT_TRUE(fs::exists(kept->folder() / "sockets.baseline.callgrind"));
  EXPECT_TRUE(fs::is_empty(scratch_->folder()));
}

TEST_F(Counted, what_a_subject_starts_is_counted_with_it) {
  if (kSanitized || process::find_program("valgrind").empty())
    GTEST_SKIP() << "no valgrind, or a sanitizer; scripts/install-dependencies --test";
  const auto subject = resolve("raw_epoll");
  const auto alone = count_per_request(setup_of(subject), CountedMetric::kInstructions);
  ASSERT_TRUE(alone) << alone.error().message;
  process::ResolvedSubject parent = subject;
  parent.command = {"/bin/sh", "-c", "\"$0\" \"$@\"; exit", subject.command.front()};
  const auto started = count_per_request(setup_of(parent), CountedMetric::kInstructions);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_NEAR(*started / *alone, 1, 0.001);
}

TEST_F(Counted, a_subject_that_does_not_start_is_a_fault_of_the_subject) {
  if (kSanitized || process::find_program("strace").empty())
    GTEST_SKIP() << "no strace, or a sanitizer; scripts/install-dependencies --test";
  process::ResolvedSubject other = resolve("raw_epoll");
  other.command = {"/bin/sh", "-c", "exit 7"};
  const auto counted = count_per_request(setup_of(other), CountedMetric::kSystemCalls);
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().kind, ErrorKind::kSubject);
  EXPECT_NE(counted.error().message.find("ready line"), std::string::npos) << counted.error().message;
}

TEST_F(Counted, what_goes_wrong_only_under_the_tool_is_no_fault_of_the_subject) {
  if (kSanitized || process::find_program("strace").empty())
    GTEST_SKIP() << "no strace, or a sanitizer; scripts/install-dependencies --test";
  process::ResolvedSubject shy = resolve("raw_epoll");
  const std::string program = shy.command.front();
  shy.command = {
      "/bin/sh", "-c",
      "exec 3<&0; while read -r key value; do case $key$value in TracerPid:0) exec \"$0\" \"$@\" <&3;; "
      "esac; done </proc/self/status; exit 7",
      program};
  const auto counted = count_per_request(setup_of(shy), CountedMetric::kSystemCalls);
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().kind, ErrorKind::kEnvironment) << counted.error().message;
  EXPECT_NE(counted.error().message.find("by itself it does all that was asked"), std::string::npos)
      << counted.error().message;
}

TEST_F(Counted, one_that_asks_again_once_it_has_answered_counts_the_same_each_time) {
  if (kSanitized || process::find_program("strace").empty())
    GTEST_SKIP() << "no strace, or a sanitizer; scripts/install-dependencies --test";
  const auto subject = resolve("asio");
  for (int i = 0; i < 3; ++i) {
    const auto calls = count_per_request(setup_of(subject), CountedMetric::kSystemCalls);
    ASSERT_TRUE(calls) << calls.error().message;
    EXPECT_NEAR(*calls, 5, 0.01) << "one of them asks for more and finds nothing, each time";
  }
}

TEST_F(Counted, only_what_is_ours_can_be_counted) {
  for (const char* ours :
       {"raw_epoll", "reference_loop", "libuv", "asio", "cluster", "thread_per_connection"})
    EXPECT_EQ(why_not_countable(resolve(ours)), "") << ours;
  for (const char* other : {"node", "nginx", "deno", "bun", "node_cluster", "libuv_modern"})
    EXPECT_NE(why_not_countable(resolve(other)), "") << other;
}

}  // namespace
}  // namespace tickmark::run
