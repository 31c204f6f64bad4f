#include "harness/run/count_files.h"

#include <gtest/gtest.h>
#include <string>

namespace tickmark::run {
namespace {

const std::string kCallgrind =
    "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 5497\ncmd:  /bin/true\npart: 1\n\n\n"
    "desc: I1 cache: \n\npositions: line\nevents: Ir\nsummary: 127498\n\n\nob=(5) /usr/bin/true\nfl=(139) "
    "???\n"
    "fn=(536) 0x0000000000002310\n0 4\ncalls=1 0 \n0 127000\n+9 2\n\ntotals: 127498\n";

const std::string kStrace =
    "strace: Process 7 attached\n    calls syscall\n--------- ----------------\n        2 read\n        1 "
    "write\n"
    "       10 epoll_wait\n--------- ----------------\n       13 total\n";

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), by);
}

void expect_refused(const Expected<uint64_t>& total, const char* sentence) {
  ASSERT_FALSE(total) << "taken for " << *total;
  EXPECT_EQ(total.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(total.error().message.find(sentence), std::string::npos) << total.error().message;
}

TEST(CountFiles, callgrinds_total_is_its_instructions) {
  EXPECT_EQ(callgrind_total(kCallgrind).value_or(0), 127498u);
  const std::string cache = replaced(replaced(kCallgrind, "events: Ir", "events: Ir Dr Dw"),
                                     "summary: 127498", "summary: 127498 17 4");
  EXPECT_EQ(callgrind_total(replaced(cache, "totals: 127498", "totals: 127498 17 4")).value_or(0), 127498u);
}

TEST(CountFiles, callgrinds_two_sums_may_differ_by_what_a_fork_makes_of_them_and_no_more) {
  EXPECT_EQ(callgrind_total(replaced(kCallgrind, "totals: 127498", "totals: 127507")).value_or(0), 127507u);
  EXPECT_EQ(callgrind_total(replaced(kCallgrind, "totals: 127498", "totals: 127489")).value_or(0), 127489u);
  expect_refused(callgrind_total(replaced(kCallgrind, "totals: 127498", "totals: 127698")), "damaged");
  expect_refused(callgrind_total(replaced(kCallgrind, "totals: 127498", "totals: 127298")), "damaged");
}

TEST(CountFiles, a_callgrind_file_that_ends_too_early_is_no_small_number) {
  for (size_t bytes = 0; bytes < kCallgrind.size() - 1; ++bytes)
    EXPECT_FALSE(callgrind_total(kCallgrind.substr(0, bytes))) << bytes;
  expect_refused(callgrind_total(kCallgrind.substr(0, kCallgrind.find("calls="))), "cut off");
  expect_refused(callgrind_total(kCallgrind.substr(0, kCallgrind.size() - 3)), "summary is 127498");
}

TEST(CountFiles, what_callgrind_did_not_write_is_refused) {
  expect_refused(callgrind_total(""), "events: Ir");
  expect_refused(callgrind_total("totals: 5\n"), "events: Ir");
  expect_refused(callgrind_total(replaced(kCallgrind, "events: Ir", "events: Dr Ir")), "'Dr Ir'");
  expect_refused(callgrind_total(replaced(kCallgrind, "totals: 127498", "totals: many")), "cut off");
  expect_refused(callgrind_total(replaced(kCallgrind, "127498\n\n\n", "99999999999999999999\n")),
                 "summary is no number");
  expect_refused(callgrind_total(kCallgrind + kCallgrind), "several parts");
  expect_refused(callgrind_total(kCallgrind + "\nfn=(9) late\n0 5\n"), "cut off");
}

TEST(CountFiles, straces_total_is_the_sum_of_its_rows) {
  EXPECT_EQ(strace_total(kStrace).value_or(0), 13u);
  expect_refused(strace_total(replaced(kStrace, "13 total", "14 total")), "rows are 13");
  expect_refused(strace_total(replaced(kStrace, "        1 write\n", "")), "rows are 12");
  expect_refused(
      strace_total(replaced(kStrace, "        1 write\n", " 18446744073709551615 write\n 2 read\n")),
      "more than any process could do");
}

TEST(CountFiles, a_strace_table_that_ends_too_early_or_is_another_one_is_refused) {
  for (size_t bytes = 0; bytes < kStrace.size() - 1; ++bytes)
    EXPECT_FALSE(strace_total(kStrace.substr(0, bytes))) << bytes;
  expect_refused(strace_total("strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted\n"),
                 "no total");
  expect_refused(strace_total("100 0.000000 0 29 1 total\n"), "no count and a name");
  expect_refused(strace_total(kStrace + kStrace), "after its total");
}

TEST(CountFiles, a_system_call_that_valgrind_does_not_know_is_named_by_its_number) {
  EXPECT_EQ(unhandled_system_call("exit code 3; its stderr ends: --31088-- WARNING: unhandled amd64-linux "
                                  "syscall: 434 | --31088-- You may be able to write your own handler."),
            434u);
  EXPECT_EQ(unhandled_system_call("--7-- WARNING: unhandled amd64-linux syscall: 9"), 9u);
  EXPECT_FALSE(unhandled_system_call("--7-- WARNING: unhandled amd64-linux syscall: "));
  EXPECT_FALSE(unhandled_system_call("it was killed by signal 434"));
}

}  // namespace
}  // namespace tickmark::run
