#include "conformance/tests/run_process.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"

namespace tickmark::conformance {

namespace {

[[noreturn]] void become(const std::vector<std::string>& argv, int error_fd) {
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(error_fd, STDERR_FILENO);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

bool ends_before(pid_t child, Nanos deadline) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  while (true) {
    const Nanos left = deadline - now();
    if (left <= Nanos{0}) return false;
    pollfd watched{process.get(), POLLIN, 0};
    if (poll(&watched, 1, static_cast<int>(left / 1ms) + 1) > 0) return true;
  }
}

}  // namespace

Expected<ProcessResult> run_process(const std::vector<std::string>& argv, Nanos deadline) {
  char name[] = "/tmp/conformance-stderr-XXXXXX";
  const UniqueFd errors(mkstemp(name));
  if (!errors) return environment_error("cannot make a temporary file");
  unlink(name);
  const pid_t child = fork();
  if (child < 0) return environment_error(fmt::format("cannot start {}: {}", argv[0], std::strerror(errno)));
  if (child == 0) become(argv, errors.get());
  ProcessResult result;
  if (!ends_before(child, now() + deadline)) {
    result.timed_out = true;
    kill(-child, SIGKILL);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  char text[2048];
  const off_t size = lseek(errors.get(), 0, SEEK_END);
  const ssize_t got =
      pread(errors.get(), text, sizeof text, std::max<off_t>(0, size - static_cast<off_t>(sizeof text)));
  if (got > 0) result.stderr_tail.assign(text, static_cast<size_t>(got));
  return result;
}

ScratchFolder::ScratchFolder() {
  char name[] = "/tmp/conformance-XXXXXX";
  path_ = mkdtemp(name);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tickmark::conformance
