#include "baselines/thread_per_connection/connection_thread.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/time.h>

#include "harness/subject/do_work.h"

namespace tickmark {
namespace {

constexpr size_t kReceiveBytes = 16 * 1024;  // on the thread's stack; untouched pages of it cost nothing

ssize_t receive(int fd, char* into, size_t size) {
  ssize_t got;
  do got = ::recv(fd, into, size, 0);
  while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

void ConnectionThread::run(std::unique_ptr<Session> session) {
  std::array<char, kReceiveBytes> buffer;
  while (!closing_ && !broken_) {
    const ssize_t got = receive(fd_.get(), buffer.data(), buffer.size());
    if (got < 0) return;
    if (got == 0) return session->on_end();  // nothing is owed later: all work is done in place
    session->on_bytes({buffer.data(), static_cast<size_t>(got)});
  }
  if (!broken_) linger();
}

void ConnectionThread::send(std::string_view bytes) {
  while (!bytes.empty() && !closing_ && !broken_) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      broken_ = true;
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void ConnectionThread::offload(Work work, Then then) { then(subject::do_work(work)); }

// Closing with unread input would reset the connection and destroy replies on their way.
void ConnectionThread::linger() {
  ::shutdown(fd_.get(), SHUT_WR);
  const timeval patience{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::array<char, 1024> scratch;
  for (int i = 0; i < 64 && receive(fd_.get(), scratch.data(), scratch.size()) > 0; ++i) {
  }
}

}  // namespace tickmark
