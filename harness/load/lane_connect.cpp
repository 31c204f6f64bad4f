// The life of a lane's connections: connect, loss, reconnect, end.

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <sys/socket.h>

#include "harness/load/lane.h"

namespace tickmark::load {
namespace {

constexpr Nanos kRetryFirst = 1ms;
constexpr Nanos kRetryMax = 100ms;

}  // namespace

void Lane::connect_first(uint32_t i, Scenario scenario, Nanos at) {
  ramping_ = scenario == Scenario::kOrderly;
  if (scenario == Scenario::kStorm) core_.arrive_at(i, at);
  connect(i, at);
}

void Lane::connect(uint32_t i, Nanos at) {
  Link& link = links_[i];
  Expected<UniqueFd> fd = sources_.open_socket();
  if (!fd) {
    if (environment_fault_.empty()) environment_fault_ = fd.error().message;
    return retry_later(i, at);
  }
  link.fd = std::move(*fd);
  link.state = State::kConnecting;
  link.blocked = false;
  link.partial = 0;
  link.connect_began = at;
  if (int error = poller_.add(link.fd.get(), key_ | i); error != 0) return connect_failed(i, error);
  poller_.count_syscall();
  sockaddr_in target = sources_.target();
  if (port_ != 0) target.sin_port = htons(port_);
  if (::connect(link.fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0) {
    on_connected(i);
  } else if (errno != EINPROGRESS) {
    connect_failed(i, errno);
  }
}

void Lane::on_connected(uint32_t i) {
  Link& link = links_[i];
  Nanos at = now();
  link.state = State::kOpen;
  link.retry_after = Nanos{0};
  if (!link.ever_open) {
    link.ever_open = true;
    ++established_;
    connect_time_.record(at - link.connect_began);
  }
  core_.free_since(i, at);
  if (core_.idle(i) && (follow_up_ || (ramping_ && !core_.served(i)))) core_.arrive_at(i, at);
  pump(i);
}

void Lane::connect_failed(uint32_t i, int error) {
  if (error == ECONNREFUSED && established_ == 0) refused_ = true;
  Link& link = links_[i];
  link.fd.reset();
  link.state = State::kClosed;
  retry_later(i, now());
}

/// Gives a connection up, with everything unanswered on it, and connects anew soon.
void Lane::drop(uint32_t i, bool by_subject) {
  Link& link = links_[i];
  if (link.state != State::kOpen) return;
  Nanos at = now();
  in_flight(at, -core_.lost(i, at));
  lost_ += by_subject;
  close_hard(link.fd);
  link.state = State::kClosed;
  protocol_->reset(i);
  retry_later(i, at);
}

/// The queue is ordered because all waits are equal but for connections that failed before, which may come
/// a little late behind a longer one; that delays a reconnect by at most kRetryMax.
void Lane::retry_later(uint32_t i, Nanos at) {
  Link& link = links_[i];
  retries_.push_back({at + link.retry_after, i});
  link.retry_after = std::clamp(link.retry_after * 2, kRetryFirst, kRetryMax);
}

void Lane::close_all() {
  retries_.clear();
  for (Link& link : links_) {
    if (link.state == State::kClosed) continue;
    close_hard(link.fd);
    link.state = State::kClosed;
  }
}

}  // namespace tickmark::load
