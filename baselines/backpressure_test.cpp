// A peer who asks and never reads costs the reference loop's server bounded memory, and loses nothing.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>

#include "baselines/test_subject.h"

namespace tickmark {
namespace {

using nlohmann::json;

constexpr size_t kFlood = 256 * 1024 * 1024;
/// What a hoarding server would be made to hold is a multiple of that. AddressSanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kGrowthMax = 768 * 1024 * 1024;
#else
constexpr size_t kGrowthMax = 64 * 1024 * 1024;
#endif

size_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  size_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// Sends `bytes` over and over until the peer has taken nothing for a while, or `most` were sent: how many.
size_t send_until_stuck(int fd, std::string_view bytes, size_t most) {
  size_t sent = 0;
  while (sent < most) {
    pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&writable, 1, 500) == 0) break;
    const std::string_view rest = bytes.substr(sent % bytes.size());
    const ssize_t size = send(fd, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) sent += static_cast<size_t>(size);
  }
  return sent;
}

class Backpressure : public ::testing::TestWithParam<std::string> {
 protected:
  void serve(const std::string& workload, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {std::string(TICKMARK_SUBJECT_FOLDER) + "/subject_reference_loop",
                                      "serve",
                                      "--workload",
                                      workload,
                                      "--option",
                                      "backend=" + GetParam()};
    words.insert(words.end(), more.begin(), more.end());
    subject_ = std::make_unique<TestSubject>(words);
    const json ready = json::parse(subject_->read_line(), nullptr, false);
    if (!ready.is_object()) GTEST_SKIP() << "no such backend here: " << subject_->wait().err;
    peer_ = connect_to(ready["ready"]["port"].get<uint16_t>());
  }
  size_t resident() const { return resident_bytes(subject_->pid()); }
  void stop() {
    peer_.reset();
    subject_->close_stdin();
    const Outcome outcome = subject_->wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  std::unique_ptr<TestSubject> subject_;
  UniqueFd peer_;
};

TEST_P(Backpressure, bytes_that_nobody_fetches_are_not_hoarded_and_not_lost) {
  serve("sockets");
  if (IsSkipped()) return;
  std::string bytes(1024 * 1024 - 1, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 7);
  const size_t before = resident();
  const size_t sent = send_until_stuck(peer_.get(), bytes, kFlood);
  EXPECT_LT(sent, kFlood) << "whatever is sent, it takes";
  EXPECT_LT(resident() - before, kGrowthMax);
  shutdown(peer_.get(), SHUT_WR);
  const std::string echoed = receive_all(peer_.get());
  ASSERT_EQ(echoed.size(), sent);
  for (size_t at = 0; at < echoed.size(); at += bytes.size())
    ASSERT_TRUE(bytes.starts_with(std::string_view(echoed).substr(at, bytes.size()))) << "behind byte " << at;
  stop();
}

// A request of forty bytes asks for 64 KiB.
TEST_P(Backpressure, requests_that_nobody_fetches_the_answers_of_are_not_hoarded) {
  std::string folder = std::filesystem::temp_directory_path() / "tickmark_backpressure_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/large") << std::string(64 * 1024, 'x');
  serve("fs", {"--param", "root=" + folder});
  if (IsSkipped()) return;
  const std::string request = "GET /fs/read?file=large HTTP/1.1\r\nHost: x\r\n\r\n";
  const size_t before = resident();
  EXPECT_LT(send_until_stuck(peer_.get(), request, kFlood), kFlood) << "whatever is asked, it takes";
  EXPECT_LT(resident() - before, kGrowthMax);
  stop();
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Backends, Backpressure, ::testing::Values("epoll", "io_uring"),
                         [](const auto& backend) { return backend.param; });

}  // namespace
}  // namespace tickmark
