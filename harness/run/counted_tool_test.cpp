// Counting with a made-up valgrind: what it leaves of each life of a subject is given, so that what becomes
// of it is known exactly, and no tool is needed.

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <sstream>

#include "harness/process/paths.h"
#include "harness/run/count_files.h"
#include "harness/run/counted.h"
#include "harness/run/scratch.h"
#include "harness/run/trial.h"

namespace tickmark::run {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRequests = kCountedRequestsMin, kFew = kRequests / 10;

// In its n-th life it leaves the files n.*, and runs what it was asked to.
constexpr const char* kValgrind = R"(#!/bin/sh
here=${0%/*}
[ "$1" = --version ] && { echo valgrind-3.19.0; exit; }
life=$(($(cat "$here/lives" 2>/dev/null) + 1))
echo $life > "$here/lives"
for word; do case $word in --callgrind-out-file=*) out=${word#*=}; esac; done
for file in "$here/$life".*; do [ -e "$file" ] && cp "$file" "${out%/*}"; done
while case $1 in --*) :;; *) false;; esac; do shift; done
exec "$@"
)";

// Answers to request 2,000, and then for as long as nobody closed its input. It looks only when it was asked,
// as one does whose other threads valgrind does not let run.
constexpr const char* kEndsLate = R"(
import json, os, select, socket, sys
if sys.argv[1] == "serve":
    listener = socket.create_server(("127.0.0.1", 0))
    ready = {"address": "127.0.0.1", "port": listener.getsockname()[1], "pid": os.getpid()}
    print(json.dumps({"ready": ready}), flush=True)
    peer, _ = listener.accept()
    answered = 0
    while answered < 2000 or not select.select([sys.stdin], [], [], 0)[0]:
        peer.sendall(peer.recv(65536))
        answered += 1
    print(json.dumps({"final": {"requests": answered}}), flush=True)
)";

std::string callgrind_file(uint64_t total) {
  return fmt::format("version: 1\npart: 1\n\nevents: Ir\nsummary: {}\n\nfn=(1) main\n0 {}\n\ntotals: {}\n",
                     total, total, total);
}

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class CountedByATool : public testing::Test {
 protected:
  void SetUp() override {
    auto registry = process::Registry::load({TICKMARK_SOURCE_DIR, fs::path(TICKMARK_BINARY_DIR) / "bin"});
    ASSERT_TRUE(registry) << registry.error().message;
    subject_ = *registry->resolve(*SubjectName::parse("raw_epoll"));
    for (auto* folder : {&tool_, &scratch_, &kept_}) {
      auto made = Scratch::create();
      ASSERT_TRUE(made);
      folder->emplace(std::move(*made));
    }
    write("valgrind", kValgrind);
    fs::permissions(tool_->folder() / "valgrind", fs::perms::owner_all);
    path_ = std::getenv("PATH");
    ::setenv("PATH", (tool_->folder().string() + ":" + path_).c_str(), 1);
    setup_.subject = &subject_;
    setup_.workload = "sockets";
    setup_.client = *clients_.get("sockets", "", {});
    setup_.requests = kRequests;
    setup_.scratch = scratch_->folder();
    setup_.interrupted = [this] {
      ++asked_;
      return asked_ >= interrupt_at_;
    };
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(tool_->folder() / name) << text;
  }
  void leaves(int life, const std::string& name, uint64_t total) {
    write(fmt::format("{}.{}", life, name), callgrind_file(total));
  }
  Expected<double> count() { return count_per_request(setup_, CountedMetric::kInstructions); }
  void expect_refused(ErrorKind kind, const char* sentence) {
    const auto counted = count();
    ASSERT_FALSE(counted) << *counted;
    EXPECT_EQ(counted.error().kind, kind) << counted.error().message;
    EXPECT_NE(counted.error().message.find(sentence), std::string::npos) << counted.error().message;
    EXPECT_TRUE(fs::is_empty(scratch_->folder())) << "what is left would be counted with the next";
  }

  process::ResolvedSubject subject_;
  std::optional<Scratch> tool_, scratch_, kept_;
  std::string path_;
  ClientCache clients_{{}, 1};
  CountSetup setup_;
  uint64_t asked_ = 0, interrupt_at_ = UINT64_MAX;
};

TEST_F(CountedByATool, all_processes_of_a_life_add_up_and_start_and_end_cancel) {
  leaves(1, "100", 50'000);
  leaves(1, "101", 7'000);
  leaves(2, "102", 53'000);
  leaves(2, "103", 8'000);
  const auto counted = count();
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(*counted, 4.0);
  EXPECT_TRUE(fs::is_empty(scratch_->folder()));
}

TEST_F(CountedByATool, what_only_the_first_requests_take_is_over_before_the_count) {
  leaves(1, "1", 1000);
  leaves(2, "1", 2000);
  ASSERT_TRUE(count());
  EXPECT_GE(asked_, kFew + (kFew + kRequests)) << "a short life, and one of so many requests more";
}

TEST_F(CountedByATool, one_that_ends_late_is_asked_so_many_more_than_it_answered) {
  subject_.command = {"/usr/bin/python3", "-I", "-c", kEndsLate};
  leaves(1, "1", 20'000);
  leaves(2, "1", 40'020);
  const auto counted = count();
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(*counted, 20.0) << "2,000 were answered of 100, and 3,001 of 3,000";
}

TEST_F(CountedByATool, what_is_kept_is_of_the_longer_life_a_file_a_process) {
  setup_.evidence = kept_->folder() / "sockets.baseline";
  leaves(1, "1", 1000);
  leaves(2, "1", 2000);
  leaves(2, "2", 3000);
  ASSERT_TRUE(count());
  EXPECT_EQ(text_of(kept_->folder() / "sockets.baseline.callgrind"), callgrind_file(2000));
  EXPECT_EQ(text_of(kept_->folder() / "sockets.baseline.1.callgrind"), callgrind_file(3000));
}

TEST_F(CountedByATool, what_it_leaves_is_refused_where_it_is_no_count) {
  expect_refused(ErrorKind::kEnvironment, "valgrind wrote nothing; count again");
  write("lives", "0");
  write("1.1", "not what callgrind writes");
  expect_refused(ErrorKind::kEnvironment, "what valgrind wrote cannot be read: it has no line 'events: Ir'");
  write("lives", "0");
  leaves(1, "1", 3000);
  leaves(2, "1", 2999);
  expect_refused(ErrorKind::kEnvironment, "count again");
}

TEST_F(CountedByATool, an_interrupt_ends_the_count) {
  interrupt_at_ = 10;
  leaves(1, "1", 1000);
  leaves(2, "1", 2000);
  expect_refused(ErrorKind::kEnvironment, "interrupted");
  EXPECT_LE(asked_, kFew) << "not after all that was to be asked";
}

TEST_F(CountedByATool, one_that_fails_at_its_end_is_a_fault_of_the_subject) {
  const std::string program = subject_.command.front();
  subject_.command = {"/bin/sh", "-c", "\"$0\" \"$@\"; echo it went wrong >&2; exit 5", program};
  leaves(1, "1", 1000);
  const auto counted = count();
  ASSERT_FALSE(counted);
  EXPECT_EQ(counted.error().kind, ErrorKind::kSubject);
  for (const char* part : {"raw_epoll", "exit code 5", "it went wrong"})
    EXPECT_NE(counted.error().message.find(part), std::string::npos) << counted.error().message;
}

TEST_F(CountedByATool, a_system_call_that_only_the_tool_does_not_know_is_told_in_one_sentence) {
  const std::string program = subject_.command.front();
  subject_.command = {"/bin/sh", "-c",
                      "[ -e \"$0.here\" ] || exec \"$@\"; rm \"$0.here\"; "
                      "echo '--7-- WARNING: unhandled amd64-linux syscall: 434' >&2; exit 3",
                      (tool_->folder() / "valgrind").string(), program};
  write("valgrind.here", "");  // once, as if under the tool
  expect_refused(
      ErrorKind::kEnvironment,
      "raw_epoll makes system call 434, which this valgrind does not know, so its instructions cannot be "
      "counted here");
}

TEST_F(CountedByATool, a_tool_counts_if_it_counts_one_that_does_nothing) {
  const std::array<std::pair<uint64_t, bool>, 2> cases = {{{0, false}, {127'000, true}}};
  for (const auto& [total, counts] : cases) {
    write("lives", "0");
    leaves(1, "1", total);
    const auto checked = check_counters(scratch_->folder());
    const std::string said = checked ? checked->front() : checked.error().message;
    // Where strace is missing it is the one that is complained of.
    EXPECT_EQ(said.find("valgrind cannot count here (it counted nothing of") == std::string::npos, counts)
        << said;
    if (checked) {
      EXPECT_EQ(checked->front(), "valgrind 3.19.0");
    }
    EXPECT_TRUE(fs::is_empty(scratch_->folder()));
  }
}

}  // namespace
}  // namespace tickmark::run
