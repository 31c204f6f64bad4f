// The pump: one thread per guarded program that reads whatever it writes, so that a flood neither blocks
// the program nor grows the harness, and hears what the guard reports.

#include <cerrno>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/process/guarded.h"
#include "harness/process/process_tree.h"

namespace tickmark::process {

void Guarded::pump() {
  sigset_t all;
  sigfillset(&all);  // signals are the main thread's; and a dead reader of stdin must not raise SIGPIPE
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  feed_stdin();
  while (true) {
    const bool feeding = stdin_text_left();
    pollfd waits[4] = {{control_.get(), POLLIN, 0},
                       {out_.get(), POLLIN, 0},
                       {err_.get(), POLLIN, 0},
                       {feeding ? stdin_.get() : -1, POLLOUT, 0}};
    if (::poll(waits, 4, -1) < 0) continue;
    if (waits[1].revents != 0) read_stream(out_, false);
    if (waits[2].revents != 0) read_stream(err_, true);
    if (waits[3].revents != 0) feed_stdin();
    if (waits[0].revents != 0 && !read_control()) break;
  }
  if (const Observed seen = observed(); seen.root != 0 && !seen.rusage) sweep();
  // Everybody who could write is dead: what is left in the pipes is all there will be.
  while (read_stream(out_, false)) {
  }
  while (read_stream(err_, true)) {
  }
  const std::lock_guard lock(mutex_);
  stdin_.reset();
  seen_.gone = true;
  changed_.notify_all();
}

bool Guarded::stdin_text_left() const {
  // In this order: without text, stdin_ is the main thread's and must not be looked at here.
  return fed_ < options_.stdin_text.size() && stdin_;
}

void Guarded::feed_stdin() {
  while (stdin_text_left()) {
    const ssize_t n =
        ::write(stdin_.get(), options_.stdin_text.data() + fed_, options_.stdin_text.size() - fed_);
    if (n > 0) {
      fed_ += static_cast<size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      return;
    } else if (n < 0 && errno != EINTR) {
      fed_ = options_.stdin_text.size();  // it does not want the rest
    }
  }
  if (options_.close_stdin) {
    const std::lock_guard lock(mutex_);
    stdin_.reset();
  }
}

/// One read; false at the end of the stream or when nothing is there.
bool Guarded::read_stream(UniqueFd& fd, bool is_err) {
  char chunk[16 * 1024];
  const ssize_t n = fd ? ::read(fd.get(), chunk, sizeof chunk) : 0;
  if (n < 0) return errno == EINTR;
  if (n == 0) {
    fd.reset();
    return false;
  }
  const std::string_view bytes(chunk, static_cast<size_t>(n));
  const std::lock_guard lock(mutex_);
  if (is_err) {
    seen_.err_tail.append(bytes.substr(bytes.size() - std::min(bytes.size(), kTailBytes)));
    if (seen_.err_tail.size() > kTailBytes) seen_.err_tail.erase(0, seen_.err_tail.size() - kTailBytes);
  } else if (options_.keep_output) {
    const size_t room = options_.output_limit - seen_.out.size();
    seen_.out.append(bytes.substr(0, room));
    if (bytes.size() > room) seen_.out_truncated = true;
  } else {
    take_output(bytes);
  }
  return true;
}

void Guarded::take_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    // A line beyond the limit is cut, not stored: no subject may make the harness grow.
    line_.append(piece.substr(0, kLineBytes - std::min(kLineBytes, line_.size())));
    if (newline == std::string_view::npos) return;
    take_line();
    bytes.remove_prefix(newline + 1);
  }
}

void Guarded::take_line() {
  if (!seen_.first_line) {
    seen_.first_line = line_;
    changed_.notify_all();
  } else if (line_.find("\"final\"") != std::string::npos) {
    seen_.final_line = line_;
  }
  line_.clear();
}

/// What the guard says; false when it is gone.
bool Guarded::read_control() {
  char chunk[1024];
  const ssize_t n = ::recv(control_.get(), chunk, sizeof chunk, MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  control_text_.append(chunk, static_cast<size_t>(n));
  for (size_t newline; (newline = control_text_.find('\n')) != std::string::npos;) {
    take_message(control_text_.substr(0, newline));
    control_text_.erase(0, newline + 1);
  }
  return true;
}

void Guarded::take_message(const std::string& line) {
  const auto message = nlohmann::json::parse(line, nullptr, false);
  if (!message.is_object()) return;
  const std::lock_guard lock(mutex_);
  if (message.contains("started")) {
    seen_.root = message["started"].value("pid", 0);
  } else if (message.contains("start_failed")) {
    seen_.start_errno = message["start_failed"].value("errno", 0);
    seen_.start_what = message["start_failed"].value("what", "");
  } else if (message.contains("exit")) {
    seen_.ended = true;
    seen_.code = message["exit"].value("code", 0);
    seen_.signal = message["exit"].value("signal", 0);
    seen_.leftover = message["exit"].value("leftover", 0);
  } else if (message.contains("done")) {
    const auto& done = message["done"];
    seen_.rusage =
        TreeRusage{Nanos{done.value("user_ns", int64_t{0})}, Nanos{done.value("system_ns", int64_t{0})},
                   done.value("max_rss_bytes", uint64_t{0}), done.value("voluntary_switches", uint64_t{0}),
                   done.value("involuntary_switches", uint64_t{0})};
  }
  changed_.notify_all();
}

/// The guard itself was killed: the kernel ended the root process; whoever else is left is found by session
/// and by the tag in its environment. Bounded: a process in an uninterruptible wait cannot be ended by us.
void Guarded::sweep() const {
  const std::string tag = std::string(kTagVariable) + "=" + tag_;
  for (int pass = 0; pass < 200; ++pass) {
    int found = 0;
    for (const ProcessStat& process : read_all_processes()) {
      if (process.state == 'Z' || process.pid == guard_) continue;
      const std::string path = "/proc/" + std::to_string(process.pid) + "/environ";
      if (process.session != guard_ && read_proc_file(path.c_str()).find(tag) == std::string::npos) continue;
      ::kill(process.pid, SIGKILL);
      ++found;
    }
    if (found == 0) return;
    ::usleep(5'000);
  }
}

}  // namespace tickmark::process
