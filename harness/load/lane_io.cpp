// The moving of a lane's bytes: the hot path.

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sys/socket.h>

#include "harness/load/lane.h"

namespace tickmark::load {

void Lane::on_event(uint32_t i, uint32_t events) {
  Link& link = links_[i];
  if (link.state == State::kClosed) return;  // closed after the poller had found it ready
  if (link.state == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(link.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return connect_failed(i, error);
    if ((events & EPOLLOUT) == 0) return;
    on_connected(i);
    if ((events & EPOLLIN) == 0) return;
  }
  if (link.blocked && (events & EPOLLOUT)) {
    link.blocked = false;
    core_.free_since(i, now());
    pump(i);
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(i, events);
}

void Lane::pump(uint32_t i) {
  Link& link = links_[i];
  if (link.state != State::kOpen || link.blocked) return;
  if (link.partial > 0 && !send_rest(i)) return;
  if (protocol_->discipline() == Discipline::kOneAtATime) {
    if (core_.may_send(i)) send_one(i);
  } else {
    while (core_.may_send(i) && send_batch(i)) {
    }
  }
}

/// Bytes the kernel took; 0: none for now, and the link is blocked; -1: the connection is gone.
ssize_t Lane::write(uint32_t i, const char* data, size_t size) {
  Link& link = links_[i];
  poller_.count_syscall();
  ssize_t n = ::send(link.fd.get(), data, size, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    // What the subject sent before it closed is still to be read: the receive path decides what was lost.
    link.blocked = true;
    return -1;
  }
  if (n < 0) n = 0;
  bytes_sent_ += static_cast<uint64_t>(n);
  // Edge-triggered: the poller tells when there is room again.
  if (static_cast<size_t>(n) < size) link.blocked = true;
  return n;
}

void Lane::mark_sent(uint32_t i, Nanos at) {
  core_.sent(i, at);
  in_flight(at, +1);
}

/// The rest of the request that has half left. True: it has left wholly.
bool Lane::send_rest(uint32_t i) {
  Link& link = links_[i];
  std::string_view rest = protocol_->bytes(core_.last_sent(i).number).substr(link.partial);
  ssize_t n = write(i, rest.data(), rest.size());
  if (n < 0) return false;
  link.partial = static_cast<size_t>(n) == rest.size() ? 0 : link.partial + static_cast<size_t>(n);
  return link.partial == 0;
}

bool Lane::send_one(uint32_t i) {
  std::string_view bytes = protocol_->bytes(core_.request(core_.first_waiting(i)).number);
  Nanos at = now();
  ssize_t n = write(i, bytes.data(), bytes.size());
  if (n <= 0) return false;
  mark_sent(i, at);
  links_[i].partial = static_cast<size_t>(n) == bytes.size() ? 0 : static_cast<size_t>(n);
  return links_[i].partial == 0;
}

/// As many waiting messages as fit the send buffer, in one call. True: all of them have left.
bool Lane::send_batch(uint32_t i) {
  size_t used = 0, message_bytes = 0;
  for (RequestIndex r = core_.first_waiting(i); r != kNoRequest; r = core_.request(r).next) {
    std::string_view message = protocol_->bytes(core_.request(r).number);
    message_bytes = message.size();
    if (used + message_bytes > buffers_.send.size()) break;
    std::memcpy(buffers_.send.data() + used, message.data(), message_bytes);
    used += message_bytes;
  }
  assert(used > 0);
  Nanos at = now();
  ssize_t n = write(i, buffers_.send.data(), used);
  if (n < 0) return false;
  size_t left = static_cast<size_t>(n);
  for (; left >= message_bytes; left -= message_bytes) mark_sent(i, at);
  if (left > 0) mark_sent(i, at);
  links_[i].partial = left;
  return static_cast<size_t>(n) == used;
}

/// Reads until the socket is empty: a short read says so, unless the peer's end may stand behind it.
void Lane::receive(uint32_t i, uint32_t events) {
  Link& link = links_[i];
  bool to_the_end = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  for (;;) {
    poller_.count_syscall();
    ssize_t n = ::recv(link.fd.get(), buffers_.receive.data(), buffers_.receive.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(i, true);
    bytes_received_ += static_cast<uint64_t>(n);
    if (!consume(i, {buffers_.receive.data(), static_cast<size_t>(n)}, now())) return;
    if (static_cast<size_t>(n) < buffers_.receive.size() && !to_the_end) return;
  }
}

/// Verifies what was received at `at`, then sends what that allows. False: the connection was given up.
bool Lane::consume(uint32_t i, std::string_view bytes, Nanos at) {
  while (!bytes.empty()) {
    if (!core_.awaits_reply(i)) {
      ++unasked_;
      note_wrong(fmt::format("connection {} sent {} bytes that nothing had asked for", i, bytes.size()));
      drop(i, false);
      return false;
    }
    const Request& r = core_.awaited(i);
    Protocol::Step step = protocol_->verify(i, r.number, bytes);
    bytes.remove_prefix(step.consumed);
    if (step.outcome == Protocol::Outcome::kMore) break;
    if (!on_reply(i, r, step.outcome, at)) return false;
  }
  if (follow_up_ && core_.idle(i)) core_.arrive_at(i, now());
  pump(i);
  return true;
}

/// A whole reply. False: the connection is of no more use and was given up.
bool Lane::on_reply(uint32_t i, const Request& r, Protocol::Outcome outcome, Nanos at) {
  if (!r.given_up) in_flight(at, -1);
  if (outcome == Protocol::Outcome::kCorrect) {
    head_bytes_ += protocol_->head_bytes(i);
    body_bytes_ += protocol_->body_bytes(i);
    ++heads_;
    core_.completed(i, at);
  } else {
    note_wrong(protocol_->fault(i, r.number));
    core_.wrong(i, at);
  }
  bool early = !core_.awaits_reply(i) && links_[i].partial > 0;  // answered before it was asked in full
  bool by_subject = protocol_->closes_after_reply(i);
  if (outcome != Protocol::Outcome::kBroken && !early && !by_subject) return true;
  drop(i, by_subject);
  return false;
}

}  // namespace tickmark::load
