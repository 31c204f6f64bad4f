#include "baselines/test_subject.h"

#include <arpa/inet.h>
#include <cassert>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

namespace tickmark {
namespace {

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  [[maybe_unused]] const int error = ::pipe2(ends, O_CLOEXEC);
  assert(error == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool readable_before(int fd, Nanos deadline) {
  while (true) {
    const Nanos left = deadline - now();
    if (left <= 0ns) return false;
    pollfd watched{fd, POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(left / 1ms) + 1) > 0) return true;
  }
}

std::string read_to_end(int fd, Nanos deadline) {
  std::string text;
  char buffer[4096];
  while (readable_before(fd, deadline)) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

}  // namespace

TestSubject::TestSubject(const std::vector<std::string>& argv) {
  auto [in_read, in_write] = make_pipe();
  auto [out_read, out_write] = make_pipe();
  auto [err_read, err_write] = make_pipe();
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_ = ::fork();
  assert(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(in_read.get(), STDIN_FILENO);
    ::dup2(out_write.get(), STDOUT_FILENO);
    ::dup2(err_write.get(), STDERR_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  stdin_ = std::move(in_write);
  stdout_ = std::move(out_read);
  stderr_ = std::move(err_read);
}

TestSubject::~TestSubject() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string TestSubject::read_line() {
  const Nanos deadline = now() + kTestDeadline;
  char buffer[4096];
  while (pending_.find('\n') == std::string::npos && readable_before(stdout_.get(), deadline)) {
    const ssize_t got = ::read(stdout_.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    pending_.append(buffer, static_cast<size_t>(got));
  }
  const size_t end = pending_.find('\n');
  if (end == std::string::npos) return "";
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return line;
}

Outcome TestSubject::wait() {
  const Nanos deadline = now() + kTestDeadline;
  Outcome outcome;
  outcome.out = pending_ + read_to_end(stdout_.get(), deadline);
  outcome.err = read_to_end(stderr_.get(), deadline);
  int status = 0;
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  readable_before(process.get(), deadline);
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended != pid_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  if (ended > 0 && WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

Outcome run_program(const std::vector<std::string>& argv) {
  TestSubject program(argv);
  program.close_stdin();
  return program.wait();
}

UniqueFd connect_to(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string receive(int fd, size_t size) {
  const Nanos deadline = now() + kTestDeadline;
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size && readable_before(fd, deadline)) {
    const ssize_t got = ::recv(fd, bytes.data() + have, size - have, 0);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

std::string receive_all(int fd) { return read_to_end(fd, now() + kTestDeadline); }

std::string converse(int fd, std::string_view bytes) {
  std::thread sender([&] {
    send_all(fd, bytes);
    ::shutdown(fd, SHUT_WR);
  });
  std::string answer = receive_all(fd);
  sender.join();
  return answer;
}

}  // namespace tickmark
