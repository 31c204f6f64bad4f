#include "conformance/players/wire_subject.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "conformance/players/thread_states.h"

namespace tickmark::conformance::wire {

namespace {

constexpr Nanos kReadyDeadline = 15s;
constexpr Nanos kStopGrace = 3s;

struct Pipe {
  UniqueFd read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? fmt::format("the server died of signal {}", WTERMSIG(status))
                             : fmt::format("the server exited with {}", WEXITSTATUS(status));
}

}  // namespace

Expected<std::unique_ptr<Subject>> Subject::start(const std::vector<std::string>& command,
                                                  const std::string& workload,
                                                  const std::vector<std::string>& options) {
  std::vector<std::string> words = command;
  words.insert(words.end(), {"serve", "--workload", workload});
  for (const std::string& option : options) words.insert(words.end(), {"--option", option});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Pipe in;
  Pipe out;
  const pid_t pid = ::fork();
  if (pid < 0 || !in.read || !out.read) return environment_error("no process or pipe for the server");
  if (pid == 0) {
    ::dup2(in.read.get(), STDIN_FILENO);
    ::dup2(out.write.get(), STDOUT_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  std::unique_ptr<Subject> subject(new Subject(pid, std::move(in.write), std::move(out.read)));
  out.write.reset();
  if (auto ready = subject->wait_until_ready(); !ready) return std::unexpected(ready.error());
  return subject;
}

Expected<void> Subject::wait_until_ready() {
  const Nanos deadline = now() + kReadyDeadline;
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd watched{out_.get(), POLLIN, 0};
    const Nanos left = deadline - now();
    if (left <= 0ns) return subject_error("the server said no ready line in time");
    if (::poll(&watched, 1, static_cast<int>(left / 1ms) + 1) <= 0) continue;
    char bytes[1024];
    const ssize_t got = ::read(out_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return subject_error("the server ended without a ready line");
    line.append(bytes, static_cast<size_t>(got));
  }
  const auto document = nlohmann::json::parse(line.substr(0, line.find('\n')), nullptr, false);
  const auto ready =
      document.is_object() ? document.value("ready", nlohmann::json::object()) : nlohmann::json();
  port_ = ready.is_object() ? ready.value("port", uint16_t{0}) : uint16_t{0};
  if (port_ == 0) return subject_error("the server's first line is no ready line: " + line.substr(0, 200));
  return {};
}

Nanos Subject::kept_waiting() const { return pid_ < 0 ? Nanos{0} : waited_for_cpu_below(pid_); }

std::string Subject::why_ended() {
  int status = 0;
  if (pid_ < 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return "";
  pid_ = -1;
  return how_it_ended(status);
}

Subject::~Subject() {
  if (pid_ < 0) return;
  in_.reset();
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd watched{process.get(), POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(kStopGrace / 1ms)) != 1) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace tickmark::conformance::wire
