#include "reference-loop/process.h"

#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <string>
#include <unistd.h>

#include "reference-loop/pipe.h"
#include "reference-loop/signal.h"
#include "reference-loop/test_log.h"
#include "reference-loop/test_loop.h"

namespace refloop::process_test {
namespace {

using namespace std::chrono_literals;

struct Child : Process {
  using Process::Process;
  std::optional<ExitStatus> status;
  std::function<void()> on_exit;
  Result<void> start(const SpawnOptions& options) {
    return spawn(options, [](Process& self, ExitStatus exit_status) {
      auto& child = static_cast<Child&>(self);
      EXPECT_FALSE(child.status) << "an exit is reported once";
      child.status = exit_status;
      if (child.on_exit) child.on_exit();
    });
  }
};

// Collects what comes out of a pipe, until its end.
struct Collector : Pipe {
  using Pipe::Pipe;
  std::string text;
  bool ended = false;
  void collect() {
    ASSERT_TRUE(read_start(
        [](Stream& self, Bytes bytes) {
          static_cast<Collector&>(self).text.append(reinterpret_cast<const char*>(bytes.data()),
                                                    bytes.size());
        },
        [](Stream& self, Error error) {
          EXPECT_EQ(error, Error::none);
          static_cast<Collector&>(self).ended = true;
        }));
  }
};

SpawnOptions shell(std::string script) { return {.arguments = {"sh", "-c", std::move(script)}}; }

// What the kernel calls a process: 'Z' for one that nobody waited for, 0 if there is none.
char state_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  const auto end = text.rfind(')');
  return end == text.npos ? '\0' : text[end + 2];
}

struct ProcessTest : ::testing::Test {
  std::unique_ptr<Loop> loop = make_loop();
  Child child{*loop};
  Collector out{*loop};
  std::string output_of(SpawnOptions options) {
    options.stdio = {Stdio::ignore(), Stdio::piped(out), Stdio::inherit(2)};
    EXPECT_TRUE(child.start(options));
    out.collect();
    loop->run();
    EXPECT_TRUE(out.ended);
    EXPECT_TRUE(child.status && child.status->success());
    return out.text;
  }
  void SetUp() override {
    if (is_simulated()) GTEST_SKIP() << "needs the kernel";
  }
  void TearDown() override {
    for (Handle* handle : {static_cast<Handle*>(&child), static_cast<Handle*>(&out)}) {
      if (!handle->is_closing()) handle->close();
    }
    EXPECT_FALSE(loop->run());
  }
};

TEST_F(ProcessTest, an_exit_code_is_reported_later_and_leaves_no_zombie) {
  ASSERT_TRUE(child.start(shell("exit 7")));
  EXPECT_FALSE(child.status);
  const pid_t pid = child.pid();
  EXPECT_GT(pid, 0);
  EXPECT_FALSE(loop->run()) << "the child kept the loop alive until it exited";
  ASSERT_TRUE(child.status);
  EXPECT_EQ(child.status->code, 7);
  EXPECT_EQ(child.status->signal, 0);
  EXPECT_FALSE(child.status->success());
  EXPECT_EQ(state_of(pid), '\0');
  EXPECT_EQ(child.kill(SIGTERM).error(), Error::no_process);
  EXPECT_EQ(child.start(shell("exit 0")).error(), Error::bad_state) << "once per handle";
}

TEST_F(ProcessTest, kill_is_reported_as_the_signal_that_ended_it) {
  ASSERT_TRUE(child.start({.arguments = {"sleep", "1000"}}));
  ASSERT_TRUE(child.kill(SIGTERM));
  loop->run();
  ASSERT_TRUE(child.status);
  EXPECT_EQ(child.status->signal, SIGTERM);
  EXPECT_EQ(child.status->code, 0);
}

TEST_F(ProcessTest, a_program_that_cannot_be_executed_is_an_error_of_spawn) {
  EXPECT_EQ(name_of(child.start({.arguments = {"no-such-program"}}).error()), "ENOENT");
  EXPECT_EQ(name_of(child.start({.arguments = {"/dev/null"}}).error()), "EACCES");
  EXPECT_EQ(name_of(child.start({.arguments = {"true"}, .directory = "/no-such-folder"}).error()), "ENOENT");
  EXPECT_EQ(child.start({}).error(), Error::bad_state);
  SpawnOptions with_pipe{.arguments = {"no-such-program"}, .stdio = {Stdio::piped(out)}};
  EXPECT_FALSE(child.start(with_pipe));
  EXPECT_EQ(out.fd(), -1) << "and the pipe is as it was";
  EXPECT_FALSE(loop->run()) << "nothing is left of it";
  EXPECT_EQ(child.pid(), -1);
}

TEST_F(ProcessTest, arguments_environment_and_directory_reach_the_child) {
  SpawnOptions options = shell("printf '%s|%s|%s|' \"$1\" \"$2\" \"$GREETING\"; pwd; env | wc -l");
  options.arguments.insert(options.arguments.end(), {"zero", "one argument", "", "unused"});
  options.environment = {"GREETING=good morning", "PATH=/usr/bin:/bin"};
  options.directory = "/";
  const std::string text = output_of(std::move(options));
  EXPECT_TRUE(text.starts_with("one argument||good morning|/\n")) << text;
}

TEST_F(ProcessTest, standard_streams_are_pipes_both_ways) {
  Pipe in(*loop);
  SpawnOptions options{.arguments = {"cat"}, .stdio = {Stdio::piped(in), Stdio::piped(out)}};
  ASSERT_TRUE(child.start(options));
  out.collect();
  const std::string large(1 << 20, 'x');
  PlainWrite write;
  ASSERT_TRUE(in.write(write, as_bytes(large), nullptr));
  ASSERT_TRUE(in.shutdown(nullptr));
  loop->run();
  EXPECT_TRUE(out.text == large);
  EXPECT_TRUE(out.ended);
  EXPECT_TRUE(child.status && child.status->success());
  in.close();
  loop->run(RunMode::nowait);
}

// The write end of a pipe at descriptor `at`; what was written to it, by read_all().
struct PipeAt {
  explicit PipeAt(int at) : fd(at) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);  // inheritable, as another library might have made it
    reader.reset(ends[0]);
    EXPECT_EQ(fcntl(at, F_GETFD), -1) << "the test needs this number to be free";
    dup2(ends[1], at);
    ::close(ends[1]);
  }
  ~PipeAt() { ::close(fd); }
  std::string read_all() const {
    char bytes[64];
    const ssize_t size = ::read(reader.fd(), bytes, sizeof(bytes));
    return std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  int fd;
  Socket reader;
};

TEST_F(ProcessTest, descriptors_may_be_crossed_and_the_child_gets_no_others) {
  const int base = 100;  // above what the loop has open
  const PipeAt eight(base + 8);
  const PipeAt nine(base + 9);
  SpawnOptions options{
      .arguments = {"bash", "-c", "echo to-8 >&108; echo to-9 >&109; ls /proc/self/fd | wc -l"}};
  options.stdio.assign(base + 10, Stdio::ignore());
  options.stdio[1] = Stdio::piped(out);
  options.stdio[base + 8] = Stdio::inherit(base + 9);
  options.stdio[base + 9] = Stdio::inherit(base + 8);
  ASSERT_TRUE(child.start(options));
  out.collect();
  loop->run();
  EXPECT_EQ(eight.read_all(), "to-9\n");
  EXPECT_EQ(nine.read_all(), "to-8\n");
  EXPECT_EQ(out.text, "111\n") << "0 to 109, and that of ls";
}

TEST_F(ProcessTest, streams_not_named_are_ignored) {
  ASSERT_TRUE(child.start(shell("test -z \"$(cat)\" && echo nobody reads this && echo nor this >&2")));
  loop->run();
  EXPECT_TRUE(child.status && child.status->success());
}

TEST_F(ProcessTest, a_one_way_pipe_is_adopted_read_to_its_end_and_ended_by_shutdown) {
  int to_child[2];
  int from_child[2];
  ASSERT_EQ(pipe2(to_child, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(from_child, O_CLOEXEC), 0);
  ASSERT_TRUE(child.start(
      {.arguments = {"cat"}, .stdio = {Stdio::inherit(to_child[0]), Stdio::inherit(from_child[1])}}));
  ::close(to_child[0]);
  ::close(from_child[1]);
  Pipe in(*loop);
  ASSERT_TRUE(in.adopt(Socket(to_child[1])));
  ASSERT_TRUE(out.adopt(Socket(from_child[0])));
  out.collect();
  const std::string large(1 << 20, 'y');
  PlainWrite write;
  ASSERT_TRUE(in.write(write, as_bytes(large), nullptr));
  ASSERT_TRUE(in.shutdown(nullptr));
  loop->run();
  EXPECT_TRUE(out.text == large);
  EXPECT_TRUE(out.ended);
  in.close();
  loop->run(RunMode::nowait);
}

TEST_F(ProcessTest, the_child_starts_with_every_signal_unblocked_and_at_its_default) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  signal(SIGUSR1, SIG_IGN);
  ASSERT_TRUE(child.start(shell("kill -USR1 $$; exit 0")));
  loop->run();
  EXPECT_TRUE(child.status && child.status->signal == SIGUSR1);
  signal(SIGUSR1, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
}

TEST_F(ProcessTest, an_exit_does_not_meet_sigchld_handlers) {
  Signal sigchld(*loop);
  int heard = 0;
  sigchld.data = &heard;
  ASSERT_TRUE(sigchld.start(SIGCHLD, [](Signal& self, int) { ++*static_cast<int*>(self.data); }));
  sigchld.unref();
  ASSERT_TRUE(child.start(shell("exit 3")));
  loop->run();
  ASSERT_TRUE(child.status);
  EXPECT_EQ(child.status->code, 3);
  sigchld.ref();
  while (heard == 0) loop->run(RunMode::once);  // the kernel tells of it both ways, in no order
  sigchld.close();
  loop->run(RunMode::nowait);
}

TEST_F(ProcessTest, close_before_the_exit_gives_the_child_up_without_callback_or_zombie) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_TRUE(child.start({.arguments = {"cat"}, .stdio = {Stdio::inherit(ends[0])}}));
  ::close(ends[0]);
  const pid_t pid = child.pid();
  child.close();
  EXPECT_FALSE(loop->run());
  EXPECT_FALSE(child.status);
  EXPECT_NE(state_of(pid), '\0') << "it runs on";
  ::close(ends[1]);
  while (state_of(pid) != '\0')
    usleep(1000);  // hangs, and fails by the test's time limit, if it stays a zombie
}

TEST_F(ProcessTest, close_inside_the_exit_callback_and_close_of_an_exited_child_are_fine) {
  child.on_exit = [&] { child.close(); };
  ASSERT_TRUE(child.start(shell("exit 0")));
  Child other(*loop);
  ASSERT_TRUE(other.start(shell("exit 0")));
  const pid_t pid = other.pid();
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT),
            0);  // it is dead, and not reported
  other.close();
  EXPECT_EQ(state_of(pid), '\0');
  loop->run();
  EXPECT_TRUE(child.status);
  EXPECT_FALSE(other.status);
}

TEST_F(ProcessTest, an_unreferenced_child_lets_the_loop_end) {
  ASSERT_TRUE(child.start({.arguments = {"sleep", "1000"}}));
  child.unref();
  EXPECT_FALSE(loop->run());
  ASSERT_TRUE(child.kill(SIGKILL));
  child.ref();
  loop->run();
  EXPECT_EQ(child.status->signal, SIGKILL);
}

TEST_F(ProcessTest, a_detached_child_leads_a_session_of_its_own) {
  SpawnOptions options = shell("test $(ps -o sid= -p $$) = $$");
  if (::access("/bin/ps", X_OK) != 0) options = shell("set -- $(cat /proc/$$/stat); test $6 = $$");
  options.detached = true;
  ASSERT_TRUE(child.start(options));
  loop->run();
  EXPECT_TRUE(child.status && child.status->success());
}

TEST_F(ProcessTest, a_child_runs_as_the_user_and_group_it_was_given_and_in_no_other_group) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs the right to be somebody else";
  SpawnOptions options = shell("id -u; id -g; id -G; pwd");
  options.user = 65534;
  options.group = 65533;
  options.directory = "/";
  EXPECT_EQ(output_of(options), "65534\n65533\n65533\n/\n");
}

TEST_F(ProcessTest, what_a_child_that_is_somebody_cannot_do_is_an_error_of_spawn) {
  SpawnOptions options{.arguments = {"/nonexistent/program"}, .user = ::getuid()};
  Child nobody(*loop);
  EXPECT_EQ(nobody.start(options), failure(error_from_errno(ENOENT)));
  options.arguments = {"true"};
  options.directory = "/nonexistent";
  EXPECT_EQ(nobody.start(options), failure(error_from_errno(ENOENT)));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
  nobody.close();
  loop->run();
}

TEST_F(ProcessTest, a_child_that_somebody_else_waited_for_is_reported_as_lost) {
  ASSERT_TRUE(child.start(shell("exit 5")));
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED), 0);
  loop->run();
  ASSERT_TRUE(child.status);
  EXPECT_TRUE(child.status->lost);
  EXPECT_FALSE(child.status->success());
}

}  // namespace
}  // namespace refloop::process_test
