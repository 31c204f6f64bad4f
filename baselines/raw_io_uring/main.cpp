// raw_io_uring: the floor of io_uring. An echo written by hand, with no abstraction and no service half: one
// system call per batch of messages, everything else is what the kernel costs.
//
// A send with MSG_DONTWAIT has ended when the call that submitted it returns. So the bytes go out of the
// receive buffer itself, and only a send that fails or falls short is reported (CQE_SKIP_SUCCESS with
// MSG_WAITALL).

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <vector>

#include "baselines/raw_io_uring/buffer_ring.h"
#include "harness/subject/listen.h"
#include "harness/subject/subject_main.h"

namespace tickmark {
namespace {

constexpr unsigned kSubmissions = 1024;
constexpr unsigned kCompletions = 16 * 1024;  // a storm of accepts fits beside a batch of messages

enum class Operation : uint8_t { accept, receive, send, writable, stop, forget };

struct Peer {
  uint32_t generation = 0;  ///< of the descriptor: completions of an earlier connection find nobody
  bool open = false;
  bool receiving = false;         ///< the kernel has a receive
  bool ended = false;             ///< the peer has half-closed: close once everything has left
  uint64_t batch = 0;             ///< in which the send below was made
  unsigned position = 0;          ///< of that send among all submissions
  const char* sending = nullptr;  ///< in the receive buffer
  unsigned sending_size = 0;
  std::string unsent = {};  ///< what the kernel would not take
  bool waiting = false;     ///< the kernel tells when there is room: while anything is unsent, and only then
};

class Echo {
 public:
  Echo(int listener, int stop) : listener_(listener), stop_(stop) {}
  ~Echo() {
    if (made_) io_uring_queue_exit(&ring_);
    for (size_t fd = 0; fd < peers_.size(); ++fd) {
      if (peers_[fd].open) ::close(static_cast<int>(fd));
    }
  }

  /// 0, or what the kernel said, negative.
  int make() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = kCompletions;
    if (const int error = io_uring_queue_init_params(kSubmissions, &ring_, &params); error != 0) return error;
    made_ = true;
    return buffers_.register_with(ring_);
  }

  subject::Final run() {
    io_uring_sqe* sqe = next();
    io_uring_prep_poll_add(sqe, stop_, POLLIN);
    tag(sqe, Operation::stop, stop_);
    start_accepting();
    while (!stopping_) {
      io_uring_submit_and_wait(&ring_, ended_.empty() ? 1 : 0);
      ++batch_;
      const unsigned count = io_uring_cq_ready(&ring_);
      keep_unsent(count);
      buffers_.recycle();
      close_ended();
      serve(count);
      io_uring_cq_advance(&ring_, count);
    }
    return {{{"connections", accepted_}, {"bytes", echoed_}}};
  }

 private:
  io_uring_sqe* next() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe) return sqe;
    io_uring_submit(&ring_);
    return io_uring_get_sqe(&ring_);
  }
  void tag(io_uring_sqe* sqe, Operation operation, int fd, uint32_t generation = 0) {
    sqe->user_data = uint64_t{static_cast<uint8_t>(operation)} << 56 | uint64_t{generation & 0xffffff} << 32 |
                     static_cast<uint32_t>(fd);
  }
  static Operation operation_of(const io_uring_cqe& cqe) {
    return static_cast<Operation>(cqe.user_data >> 56);
  }
  Peer* peer_of(const io_uring_cqe& cqe) {
    const auto fd = static_cast<uint32_t>(cqe.user_data);
    if (fd >= peers_.size() || !peers_[fd].open) return nullptr;
    return (peers_[fd].generation & 0xffffff) == (cqe.user_data >> 32 & 0xffffff) ? &peers_[fd] : nullptr;
  }
  int fd_of(const Peer& peer) const { return static_cast<int>(&peer - peers_.data()); }
  const io_uring_cqe& completion(unsigned index) const {
    return ring_.cq.cqes[(*ring_.cq.khead + index) & ring_.cq.ring_mask];
  }

  // Before anything is read: later messages of the same peers queue behind.
  void keep_unsent(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const io_uring_cqe& cqe = completion(i);
      if (operation_of(cqe) != Operation::send) continue;
      Peer* const peer = peer_of(cqe);
      if (!peer) continue;
      if (cqe.res < 0 && cqe.res != -EAGAIN) {
        close(*peer);
        continue;
      }
      const auto sent = static_cast<unsigned>(std::max(cqe.res, 0));
      peer->unsent.insert(0, peer->sending + sent, peer->sending_size - sent);
      wait_until_writable(*peer);
    }
  }

  void serve(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const io_uring_cqe cqe = completion(i);
      switch (operation_of(cqe)) {
        case Operation::accept:
          accepted(cqe);
          break;
        case Operation::receive:
          received(cqe);
          break;
        case Operation::writable:
          if (Peer* const peer = peer_of(cqe)) flush(*peer);
          break;
        case Operation::stop:
          stopping_ = true;
          break;
        default:
          break;
      }
    }
  }

  void start_accepting() {
    io_uring_sqe* const sqe = next();
    io_uring_prep_multishot_accept(sqe, listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    tag(sqe, Operation::accept, listener_);
  }

  void accepted(const io_uring_cqe& cqe) {
    if (!(cqe.flags & IORING_CQE_F_MORE)) start_accepting();
    if (cqe.res < 0) return;
    ++accepted_;
    const auto fd = static_cast<size_t>(cqe.res);
    if (peers_.size() <= fd) peers_.resize(std::max(fd + 1, peers_.size() * 2));
    peers_[fd] = Peer{.generation = peers_[fd].generation + 1, .open = true};
    receive(peers_[fd]);
  }

  void receive(Peer& peer) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_recv_multishot(sqe, fd_of(peer), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BufferRing::kGroup;
    tag(sqe, Operation::receive, fd_of(peer), peer.generation);
    peer.receiving = true;
  }

  void received(const io_uring_cqe& cqe) {
    const unsigned size = static_cast<unsigned>(std::max(cqe.res, 0));
    const bool has_buffer = cqe.flags & IORING_CQE_F_BUFFER;
    const char* const bytes =
        has_buffer ? buffers_.take(cqe.flags >> IORING_CQE_BUFFER_SHIFT, size) : nullptr;
    Peer* const peer = peer_of(cqe);
    if (!peer) return;
    if (!(cqe.flags & IORING_CQE_F_MORE)) peer->receiving = false;
    if (size > 0) {
      echoed_ += size;
      echo(*peer, bytes, size);
    } else if (cqe.res == 0) {
      peer->ended = true;
      if (peer->batch == batch_) return ended_.push_back(cqe.user_data);
      if (peer->unsent.empty()) close(*peer);
      return;
    } else if (cqe.res != -ENOBUFS && cqe.res != -ECANCELED) {
      return close(*peer);
    }
    // While something is unsent nothing is read, so that a peer that only sends is held back.
    if (!peer->receiving && peer->unsent.empty()) receive(*peer);
    if (peer->receiving && !peer->unsent.empty()) cancel_receive(*peer);
  }

  void echo(Peer& peer, const char* bytes, unsigned size) {
    if (!peer.unsent.empty()) {
      peer.unsent.append(bytes, size);
    } else if (peer.batch != batch_) {
      send(peer, bytes, size);
    } else if (peer.sending + peer.sending_size == bytes && is_queued(peer)) {
      peer.sending_size += size;
      ring_.sq.sqes[peer.position & ring_.sq.ring_mask].len = peer.sending_size;
    } else {
      peer.unsent.append(bytes, size);
      wait_until_writable(peer);
    }
  }

  void send(Peer& peer, const char* bytes, unsigned size) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_send(sqe, fd_of(peer), bytes, size, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    tag(sqe, Operation::send, fd_of(peer), peer.generation);
    peer.batch = batch_;
    peer.position = ring_.sq.sqe_tail - 1;
    peer.sending = bytes;
    peer.sending_size = size;
  }

  // Not submitted in the middle of the batch, because the queue of submissions was full.
  bool is_queued(const Peer& peer) const {
    return peer.position - ring_.sq.sqe_head < ring_.sq.sqe_tail - ring_.sq.sqe_head;
  }

  // Once: a second answer would come when a send is under way again, and overtake it or close behind it.
  void wait_until_writable(Peer& peer) {
    if (peer.waiting) return;
    peer.waiting = true;
    io_uring_sqe* const sqe = next();
    io_uring_prep_poll_add(sqe, fd_of(peer), POLLOUT);
    tag(sqe, Operation::writable, fd_of(peer), peer.generation);
  }

  void flush(Peer& peer) {
    peer.waiting = false;
    const ssize_t sent = ::send(fd_of(peer), peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return close(peer);
    peer.unsent.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    if (!peer.unsent.empty()) return wait_until_writable(peer);
    if (peer.ended) return close(peer);
    if (!peer.receiving) receive(peer);
  }

  void cancel_receive(Peer& peer) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_cancel64(sqe, 0, 0);
    tag(sqe, Operation::receive, fd_of(peer), peer.generation);
    sqe->addr = sqe->user_data;
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    tag(sqe, Operation::forget, fd_of(peer));
  }

  // A peer that has ended is closed in the batch after: by then its last echo has left, or is known as
  // unsent.
  void close_ended() {
    std::vector<uint64_t> ended;
    ended.swap(ended_);
    for (const uint64_t tag : ended) {
      Peer* const peer = peer_of({.user_data = tag, .res = 0, .flags = 0});
      if (peer && peer->unsent.empty()) close(*peer);
    }
  }

  void close(Peer& peer) {
    if (peer.receiving) cancel_receive(peer);
    io_uring_sqe* const sqe = next();
    io_uring_prep_close(sqe, fd_of(peer));
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    tag(sqe, Operation::forget, fd_of(peer));
    peer.open = false;
  }

  int listener_, stop_;
  io_uring ring_{};
  bool made_ = false;
  bool stopping_ = false;
  uint64_t batch_ = 1;
  BufferRing buffers_;
  std::vector<Peer> peers_;  // by descriptor
  std::vector<uint64_t> ended_;
  uint64_t accepted_ = 0, echoed_ = 0;
};

Expected<subject::Final> serve(subject::ServeContext& context) {
  const auto& request = context.request();
  const auto listener = subject::listen_on({.address = request.address, .port = request.port});
  if (!listener) return std::unexpected(listener.error());
  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  const auto echo = std::make_unique<Echo>(listener->fd.get(), stop.get());
  if (const int error = echo->make(); error != 0) {
    return environment_error(fmt::format(
        "io_uring is not to be had here: {}; it needs Linux 6.12, kernel.io_uring_disabled=0 and, in "
        "a container, permission for io_uring_setup",
        std::strerror(-error)));
  }
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
  description.name = "raw_io_uring";
  description.workloads = {"sockets"};
  return tickmark::subject::subject_main(argc, argv, {.description = description, .serve = tickmark::serve});
}
