#include "conformance/players/wire_connection.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace tickmark::conformance::wire {

namespace {

constexpr Nanos kBetweenPieces = 1ms;

// Of the workload `sockets` (docs/workloads.md): messages of 64 bytes, the first 8 their number.
char byte_at(uint64_t position) {
  constexpr uint64_t kMessage = 64;
  const uint64_t number = position / kMessage;
  const uint64_t i = position % kMessage;
  return static_cast<char>(i < 8 ? number >> (8 * i) : number * 31 + i);
}

}  // namespace

Connection::Connection(uint16_t port, Dialect dialect, long receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), dialect_(dialect) {
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer > 0) {
    const int bytes = static_cast<int>(receive_buffer);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  refused_ = result != 0 && errno != EINPROGRESS;
}

short Connection::interest() const {
  if (!fd_ || refused_) return 0;
  if (!connected_) return POLLOUT;
  short events = 0;
  if (!paused_ && !ended_ && !reset_) events |= POLLIN;
  if (!outbox_.empty() && outbox_.front().piece == 0) events |= POLLOUT;
  return events;
}

std::optional<Nanos> Connection::next_piece() const {
  if (!connected_ || outbox_.empty() || outbox_.front().piece == 0) return std::nullopt;
  return piece_due_;
}

bool Connection::proceed(short ready) {
  if (!fd_ || refused_) return false;
  if (!connected_) return (ready & (POLLOUT | POLLERR | POLLHUP)) != 0 && connect_finished();
  bool happened = false;
  // Heard before anything is said: a reset that waits here is the answer to what was said before.
  if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0 && !paused_) happened |= read();
  happened |= write();
  return happened;
}

bool Connection::connect_finished() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  refused_ = error != 0;
  connected_ = !refused_;
  end_if_wanted();
  return true;
}

void Connection::say(const Step& step) {
  outbox_.push_back({.text = step.text,
                     .bytes = static_cast<uint64_t>(step.bytes),
                     .times = static_cast<uint64_t>(step.times),
                     .piece = static_cast<size_t>(step.piece),
                     .end = step.end});
  piece_due_ = now();
  stuck_ = Nanos{0};
}

bool Connection::write() {
  bool happened = false;
  while (fd_ && !reset_ && !outbox_.empty()) {
    Saying& saying = outbox_.front();
    if (saying.piece > 0 && now() < piece_due_) return happened;
    if (!write_once(saying)) return happened;
    happened = true;
    stuck_ = Nanos{0};
    if (saying.piece > 0) piece_due_ = now() + kBetweenPieces;
    const bool done = saying.text.empty() ? saying.bytes == 0 : saying.times == 0;
    if (!done) continue;
    end_wanted_ = end_wanted_ || saying.end;
    outbox_.pop_front();
  }
  end_if_wanted();
  return happened;
}

// As much as goes in one call. False: nothing did.
bool Connection::write_once(Saying& saying) {
  std::array<char, 64 * 1024> bytes;
  size_t size = saying.piece > 0 ? saying.piece : bytes.size();
  std::string_view text;
  if (saying.text.empty()) {
    size = std::min<uint64_t>(size, std::min<uint64_t>(saying.bytes, bytes.size()));
    for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(said_ + i);
    text = {bytes.data(), size};
  } else {
    text = std::string_view(saying.text).substr(saying.offset, size);
  }
  const bool last = saying.text.empty()
                        ? text.size() == saying.bytes
                        : saying.times == 1 && saying.offset + text.size() == saying.text.size();
  // The end we say joins the segment that has not left yet.
  const int flags = MSG_NOSIGNAL | (saying.end && last ? MSG_MORE : 0);
  const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), flags);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) reset_ = true;
    return false;
  }
  const auto taken = static_cast<size_t>(sent);
  said_ += taken;
  if (saying.text.empty()) {
    saying.bytes -= taken;
  } else {
    saying.offset += taken;
    if (saying.offset == saying.text.size()) {
      saying.offset = 0;
      --saying.times;
    }
  }
  return true;
}

void Connection::end_if_wanted() {
  if (!end_wanted_ || end_said_ || !outbox_.empty() || !connected_ || !fd_) return;
  end_said_ = true;
  ::shutdown(fd_.get(), SHUT_WR);
}

bool Connection::read() {
  if (ended_ || reset_) return false;
  std::array<char, 64 * 1024> bytes;
  const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (got > 0) {
    hear({bytes.data(), static_cast<size_t>(got)});
  } else if (got == 0) {
    ended_ = true;
    answers_.end();
  } else if (errno != EAGAIN && errno != EINTR) {
    reset_ = true;
  } else {
    return false;
  }
  return true;
}

void Connection::hear(std::string_view bytes) {
  if (dialect_ == Dialect::http) {
    heard_ += bytes.size();
    if (!answers_.feed(bytes)) wrong_ = true;
    return;
  }
  for (const char byte : bytes) {
    if (heard_ == said_ || byte != byte_at(heard_)) wrong_ = true;
    ++heard_;
  }
}

void Connection::leave(bool by_reset) {
  const linger at_once{1, 0};
  if (by_reset) ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
  outbox_.clear();
}

}  // namespace tickmark::conformance::wire
