#include "harness/process/subject_process.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/process/paths.h"
#include "harness/process/process_tree.h"
#include "harness/process/test_waiting.h"

namespace tickmark::process::subject_process_test {
namespace {

const std::string kReady =
    R"(echo "{\"ready\":{\"address\":\"127.0.0.1\",\"port\":4711,\"pid\":$$,\"workers\":2}}"; )";
const std::string kServe = kReady + R"(cat >/dev/null; echo '{"final":{"requests":3}}')";

Command shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

bool all_gone(const std::vector<pid_t>& pids) { return std::ranges::all_of(pids, gone); }

std::string start_error(const std::string& script, Nanos deadline = 20s, ExitReport* fault = nullptr) {
  StartOptions options;
  options.ready_deadline = deadline;
  auto subject = SubjectProcess::start(shell(script), options, fault);
  if (subject) return "";
  EXPECT_EQ(subject.error().kind, ErrorKind::kSubject);
  return subject.error().message;
}

TEST(SubjectProcess, ServesAndStopsWithItsFinalCounters) {
  auto subject = SubjectProcess::start(shell("echo hello >&2; " + kServe));
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->ready().address, "127.0.0.1");
  EXPECT_EQ(subject->ready().port, 4711);
  EXPECT_EQ(subject->ready().workers, 2);
  EXPECT_TRUE(subject->alive());
  EXPECT_FALSE(subject->exit_report());
  const auto pids = process_tree(subject->guard_pid());
  EXPECT_GE(pids.size(), 2u);
  const ExitReport report = subject->stop(20s);
  EXPECT_FALSE(subject->alive());
  EXPECT_EQ(report.code, 0);
  EXPECT_EQ(report.signal, 0);
  EXPECT_FALSE(report.hung);
  EXPECT_FALSE(report.crashed);
  EXPECT_EQ(report.final_counters.value("requests", 0), 3);
  EXPECT_EQ(report.stderr_tail, "hello\n");
  EXPECT_TRUE(report.rusage);
  EXPECT_TRUE(all_gone(pids));
  EXPECT_EQ(subject->stop().final_counters, report.final_counters) << "idempotent";
}

TEST(SubjectProcess, GetsItsEnvironmentDirectoryAndCpus) {
  StartOptions options;
  options.environment["TICKMARK_TEST_WORD"] = "tick tock";
  options.directory = "/usr";
  options.cpus = {0};
  auto subject = SubjectProcess::start(
      shell("echo \"$TICKMARK_TEST_WORD $(pwd) $(taskset -cp $$)\" >&2; " + kServe), options);
  ASSERT_TRUE(subject) << subject.error().message;
  const std::string seen = subject->stop(20s).stderr_tail;
  EXPECT_TRUE(seen.starts_with("tick tock /usr ")) << seen;
  EXPECT_TRUE(seen.ends_with("list: 0\n")) << seen;
}

TEST(SubjectProcess, InheritsNoDescriptorOfTheHarness) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);  // deliberately not close-on-exec
  const UniqueFd in(pipes[0]), out(pipes[1]);
  struct stat about;
  ASSERT_EQ(::fstat(pipes[0], &about), 0);
  auto subject = SubjectProcess::start(shell("ls -l /proc/$$/fd >&2; " + kServe));
  ASSERT_TRUE(subject) << subject.error().message;
  const std::string seen = subject->stop(20s).stderr_tail;
  EXPECT_NE(seen.find("pipe:["), std::string::npos) << seen;
  EXPECT_EQ(seen.find(std::to_string(about.st_ino)), std::string::npos) << seen;
  EXPECT_EQ(seen.find("socket:["), std::string::npos) << "the control socket is the guard's alone\n" << seen;
}

TEST(SubjectProcess, AMissingProgramIsOneClearSentence) {
  auto subject = SubjectProcess::start({"/nowhere/no_such_program", "serve"});
  ASSERT_FALSE(subject);
  EXPECT_EQ(subject.error().kind, ErrorKind::kSubject);
  EXPECT_NE(subject.error().message.find("/nowhere/no_such_program serve"), std::string::npos);
  EXPECT_NE(subject.error().message.find("No such file"), std::string::npos) << subject.error().message;
}

TEST(SubjectProcess, ACrashBeforeReadyKeepsTheStderr) {
  ExitReport fault;
  const std::string message = start_error("echo 'cannot bind: in use' >&2; exit 7", 20s, &fault);
  EXPECT_NE(message.find("exit code 7"), std::string::npos) << message;
  EXPECT_NE(message.find("cannot bind: in use"), std::string::npos) << message;
  EXPECT_EQ(fault.code, 7);
  EXPECT_TRUE(fault.crashed);
  EXPECT_FALSE(fault.hung);
}

TEST(SubjectProcess, ASignalBeforeReadyIsNamed) {
  ExitReport fault;
  const std::string message = start_error("kill -SEGV $$", 20s, &fault);
  EXPECT_NE(message.find("signal 11"), std::string::npos) << message;
  EXPECT_EQ(fault.signal, SIGSEGV);
  EXPECT_TRUE(fault.crashed);
}

TEST(SubjectProcess, NoReadyLineInTimeIsAHang) {
  ExitReport fault;
  const std::string message = start_error("sleep 1000", 100ms, &fault);
  EXPECT_NE(message.find("no ready line within 0.1 s"), std::string::npos) << message;
  EXPECT_TRUE(fault.hung);
  EXPECT_FALSE(fault.crashed);
}

TEST(SubjectProcess, GarbageReadyLinesAreRefused) {
  EXPECT_NE(start_error("echo listening; sleep 1000").find("printed 'listening'"), std::string::npos);
  EXPECT_NE(start_error(R"(echo '{"ready":{"address":"a","port":0,"pid":1}}'; sleep 1000)").find("'port'"),
            std::string::npos);
  EXPECT_NE(start_error(R"(echo '{"ready":{"address":"a","port":1}}'; sleep 1000)").find("'pid'"),
            std::string::npos);
  EXPECT_NE(start_error(R"(echo '{"ready":{"port":1,"pid":1}}'; sleep 1000)").find("'address'"),
            std::string::npos);
  EXPECT_NE(start_error(R"(echo '{"ready":{"address":"a","port":1,"pid":1}}'; sleep 1000)")
                .find("no process of its"),
            std::string::npos);
  ExitReport fault;
  start_error("echo listening; sleep 1000", 20s, &fault);
  EXPECT_FALSE(fault.crashed) << "we ended it";
}

TEST(SubjectProcess, FloodsBlockNobody) {
  // 8 MiB each way, far beyond any pipe, without a newline; the last words of stderr are kept.
  const std::string flood = "head -c 8388608 /dev/zero | tr '\\0' x; ";
  auto subject = SubjectProcess::start(shell("(" + flood + ") >&2; printf 'LAST WORDS' >&2; " + kReady +
                                             flood + "echo; cat >/dev/null; echo '{\"final\":{\"n\":1}}'"));
  ASSERT_TRUE(subject) << subject.error().message;
  const ExitReport report = subject->stop(30s);
  EXPECT_FALSE(report.hung);
  EXPECT_EQ(report.final_counters.value("n", 0), 1);
  EXPECT_EQ(report.stderr_tail.size(), 4096u);
  EXPECT_TRUE(report.stderr_tail.ends_with("xLAST WORDS"));
}

TEST(SubjectProcess, ACrashWhileServingIsSeen) {
  auto subject = SubjectProcess::start(shell(kReady + "read word; kill -ABRT $$"));
  ASSERT_TRUE(subject) << subject.error().message;
  ::kill(subject->ready().pid, SIGABRT);
  ASSERT_TRUE(eventually([&] { return !subject->alive(); }));
  const auto report = subject->exit_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->signal, SIGABRT);
  EXPECT_TRUE(report->crashed);
}

TEST(SubjectProcess, WhoIgnoresStdinGetsSigterm) {
  auto subject =
      SubjectProcess::start(shell("trap 'echo \"{\\\"final\\\":{\\\"term\\\":1}}\"; exit 0' TERM; " + kReady +
                                  "while :; do sleep 0.01; done"));
  ASSERT_TRUE(subject) << subject.error().message;
  const ExitReport report = subject->stop(50ms, 30s);
  EXPECT_FALSE(report.hung);
  EXPECT_EQ(report.final_counters.value("term", 0), 1);
  EXPECT_FALSE(report.crashed);
}

TEST(SubjectProcess, WhoIgnoresEverythingIsEndedByForce) {
  auto subject = SubjectProcess::start(
      shell("trap '' TERM; " + kReady + "(trap '' TERM; sleep 1000) & while :; do :; done"));
  ASSERT_TRUE(subject) << subject.error().message;
  const auto pids = process_tree(subject->guard_pid());
  const ExitReport report = subject->stop(20ms, 20ms);
  EXPECT_TRUE(report.hung);
  EXPECT_FALSE(report.crashed);
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_TRUE(all_gone(pids));
}

TEST(SubjectProcess, FreezesAndThawsTheWholeTree) {
  auto subject = SubjectProcess::start(
      shell("sleep 1000 & " + kReady + "setsid sleep 1000 & cat >/dev/null; echo '{\"final\":{}}'; exit 0"));
  ASSERT_TRUE(subject) << subject.error().message;
  const pid_t guard = subject->guard_pid();
  ASSERT_TRUE(eventually([&] {
    const auto tree = read_process_tree(guard);  // asleep: none is still between fork and exec
    return tree.size() == 5 && std::ranges::all_of(tree, [](const auto& p) { return p.state == 'S'; });
  }));
  EXPECT_EQ(subject->freeze(), 4);
  for (const auto& process : read_process_tree(guard)) {
    EXPECT_EQ(process.state == 'T', process.pid != guard);
  }
  EXPECT_TRUE(subject->alive());
  EXPECT_EQ(subject->thaw(), 4);
  for (const auto& process : read_process_tree(guard)) EXPECT_NE(process.state, 'T');
  subject->freeze();
  const auto pids = process_tree(guard);
  const ExitReport report = subject->stop(20s);
  EXPECT_EQ(report.code, 0) << "a frozen subject still ends in order";
  EXPECT_EQ(report.leftover, 2) << "the two sleepers";
  EXPECT_TRUE(all_gone(pids));
}

TEST(RunOnce, GivesOutputAndStatus) {
  RunOptions options;
  options.stdin_text = std::string(1 << 20, 'y');  // more than a pipe holds, both ways
  auto run = run_once(shell("cat; echo oops >&2; exit 3"), options);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->out, options.stdin_text);
  EXPECT_EQ(run->exit.code, 3);
  EXPECT_EQ(run->exit.stderr_tail, "oops\n");
  EXPECT_FALSE(run->exit.hung);
}

TEST(RunOnce, TellsPathsOfTheTreeFromItsRoot) {
  const auto root = find_root();
  ASSERT_TRUE(root);
  const auto done = run_once(shell("echo cannot open " + root->string() + "/baselines/x >&2; exit 1"), {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit.stderr_tail, "cannot open baselines/x\n");
}

TEST(RunOnce, BoundsOutputAndSurvivesAReaderThatLeaves) {
  RunOptions options;
  options.output_limit = 1000;
  options.stdin_text = std::string(1 << 20, 'y');  // nobody reads it: EPIPE must not end the harness
  auto run = run_once(shell("exec <&-; head -c 100000 /dev/zero"), options);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->out.size(), 1000u);
  EXPECT_TRUE(run->truncated);
  EXPECT_EQ(run->exit.code, 0);
}

TEST(RunOnce, EndsAtItsDeadline) {
  RunOptions options;
  options.deadline = 50ms;
  auto run = run_once(shell("echo partial; sleep 1000"), options);
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->exit.hung);
  EXPECT_FALSE(run->exit.crashed);
}

}  // namespace
}  // namespace tickmark::process::subject_process_test
