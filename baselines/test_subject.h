#pragma once
// For the contract test: a subject as a child process, and a blocking client. Both end what they started.

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "harness/base/time.h"
#include "harness/base/unique_fd.h"

namespace tickmark {

/// Generous: an oversubscribed machine under sanitizers must still make it.
inline constexpr Nanos kTestDeadline = 60s;

/// What a program left behind.
struct Outcome {
  int exit_code = -1;  ///< -1: ended by a signal or past the deadline (then killed)
  std::string out, err;
};

class TestSubject {
 public:
  explicit TestSubject(const std::vector<std::string>& argv);
  ~TestSubject();
  TestSubject(const TestSubject&) = delete;
  TestSubject& operator=(const TestSubject&) = delete;

  pid_t pid() const { return pid_; }
  /// The next line of stdout, "" at its end or after the deadline.
  std::string read_line();
  void close_stdin() { stdin_.reset(); }
  /// Waits for the end; the rest of stdout, and stderr.
  Outcome wait();

 private:
  pid_t pid_ = -1;
  UniqueFd stdin_, stdout_, stderr_;
  std::string pending_;
};

/// Starts with stdin closed, waits.
Outcome run_program(const std::vector<std::string>& argv);

/// A connected blocking socket; -1 where refused.
UniqueFd connect_to(uint16_t port);
/// All of it, however small the kernel's steps; false when the peer is gone.
bool send_all(int fd, std::string_view bytes);
/// Exactly `size` bytes, fewer where the stream ends or the deadline passes.
std::string receive(int fd, size_t size);
/// Until the end of the stream.
std::string receive_all(int fd);
/// `bytes` to the peer and everything it answers, both at once, then our end.
std::string converse(int fd, std::string_view bytes);

}  // namespace tickmark
