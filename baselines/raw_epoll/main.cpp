// raw_epoll: the floor. An echo written by hand on level-triggered epoll, with no abstraction and no service
// half: what remains is what the kernel costs. Whatever else a loop offers is paid on top of this.

#include <array>
#include <cassert>
#include <cerrno>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <vector>

#include "harness/subject/listen.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

constexpr int kEventsMax = 1024;
constexpr int kAcceptsPerEvent = 64;  // a storm of connects must not starve those connected

struct Peer {
  int fd = -1;
  bool ended = false;       // the peer has half-closed: close once `unsent` has left
  uint32_t interest = 0;    // as epoll knows it
  std::string unsent = {};  // what the kernel would not take
};

class Echo {
 public:
  Echo(int listener, int stop) : listener_(listener), stop_(stop), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    assert(epoll_);
    add(&listener_, listener_);
    add(&stop_, stop_);
  }
  ~Echo() {
    for (Peer* peer : peers_) {
      if (peer) close(*peer);
    }
  }

  subject::Final run() {
    std::array<epoll_event, kEventsMax> events;
    while (true) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsMax, -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.ptr == &stop_) return {{{"connections", accepted_}, {"bytes", echoed_}}};
        if (event.data.ptr == &listener_) {
          accept_some();
        } else {
          serve(*static_cast<Peer*>(event.data.ptr), event.events);
        }
      }
    }
  }

 private:
  void add(int* tag, int fd) {
    epoll_event event{EPOLLIN, {.ptr = tag}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerEvent; ++i) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      ++accepted_;
      auto* peer = new Peer{.fd = fd, .interest = EPOLLIN};
      if (peers_.size() <= static_cast<size_t>(fd)) peers_.resize(static_cast<size_t>(fd) + 1);
      peers_[static_cast<size_t>(fd)] = peer;
      epoll_event event{EPOLLIN, {.ptr = peer}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    }
  }

  void serve(Peer& peer, uint32_t events) {
    if ((events & EPOLLOUT) && !flush(peer)) return close(peer);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !peer.ended && peer.unsent.empty() && !echo(peer)) {
      return close(peer);
    }
    if (peer.ended && peer.unsent.empty()) return close(peer);
    if ((events & EPOLLERR) && peer.ended) return close(peer);
    // Level-triggered: while something is unsent nothing is read, so that a peer that only sends is held
    // back.
    const uint32_t interest = !peer.unsent.empty() ? EPOLLOUT : EPOLLIN;
    if (interest == peer.interest) return;
    peer.interest = interest;
    epoll_event event{interest, {.ptr = &peer}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, peer.fd, &event);
  }

  // One receive and one send; false if the connection is broken.
  bool echo(Peer& peer) {
    const ssize_t got = ::recv(peer.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return peer.ended = true;
    echoed_ += static_cast<uint64_t>(got);
    ssize_t sent = ::send(peer.fd, buffer_.data(), static_cast<size_t>(got), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent < 0) sent = 0;
    if (sent < got) peer.unsent.assign(buffer_.data() + sent, static_cast<size_t>(got - sent));
    return true;
  }

  static bool flush(Peer& peer) {
    const ssize_t sent = ::send(peer.fd, peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    peer.unsent.erase(0, static_cast<size_t>(sent));
    return true;
  }

  // Also takes it out of epoll: nobody holds a duplicate.
  void close(Peer& peer) {
    ::close(peer.fd);
    peers_[static_cast<size_t>(peer.fd)] = nullptr;
    delete &peer;
  }

  int listener_, stop_;
  UniqueFd epoll_;
  std::vector<Peer*> peers_;  // by descriptor; owned, nullptr where there is none
  uint64_t accepted_ = 0, echoed_ = 0;
  std::array<char, 65536> buffer_;
};

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto& request = context.request();
  const auto listener = subject::listen_on({.address = request.address, .port = request.port});
  if (!listener) return std::unexpected(listener.error());
  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  const auto echo = std::make_unique<Echo>(listener->fd.get(), stop.get());
  context.on_stop([fd = stop.get()] { ::eventfd_write(fd, 1); });
  context.ready(listener->port);
  auto final = echo->run();
  context.end_watch();
  return final;
}

}  // namespace
}  // namespace tickmark

int main(int argc, char** argv) {
  tickmark::SubjectDescription description;
  description.name = "raw_epoll";
  description.workloads = {"sockets"};
  return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = tickmark::serve});
}
