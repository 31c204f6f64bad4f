#include "reference-loop/udp.h"

#include <cstring>

#include "reference-loop/sys.h"

namespace refloop {

Result<void> Udp::open(int family) {
  if (is_closing()) return failure(Error::bad_state);
  if (socket_) return {};
  socket_.reset(sys::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return failure(last_error());
  family_ = family;
  return {};
}

Result<void> Udp::bind(const Address& address, BindOptions options) {
  if (auto opened = open(address.family()); !opened) return opened;
  Result<void> prepared;
  if (options.reuse_address) prepared = set_option(SOL_SOCKET, SO_REUSEADDR, 1);
  if (prepared && options.reuse_port) prepared = set_option(SOL_SOCKET, SO_REUSEPORT, 1);
  if (prepared && options.ipv6_only) prepared = set_option(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (!prepared) return prepared;
  if (sys::bind(socket_.fd(), address.raw(), address.size()) != 0) return failure(last_error());
  return {};
}

Result<void> Udp::connect(const Address& peer) {
  if (auto opened = open(peer.family()); !opened) return opened;
  if (sys::connect(socket_.fd(), peer.raw(), peer.size()) != 0) return failure(last_error());
  connected_ = true;
  return {};
}

Result<void> Udp::disconnect() {
  if (!connected_) return failure(Error::not_connected);
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (sys::connect(socket_.fd(), &nobody, socklen_t{sizeof(nobody)}) != 0) return failure(last_error());
  connected_ = false;
  return {};
}

Result<void> Udp::adopt(Socket socket) {
  if (is_closing() || socket_) return failure(Error::bad_state);
  int type = 0;
  socklen_t size = sizeof(type);
  if (sys::getsockopt(socket.fd(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) return failure(last_error());
  if (type != SOCK_DGRAM) return failure(Error::bad_state);
  const int flags = sys::fcntl(socket.fd(), F_GETFL);
  if (flags < 0 || sys::fcntl(socket.fd(), F_SETFL, flags | O_NONBLOCK) != 0) return failure(last_error());
  const auto local = Address::local_of(socket.fd());
  if (!local) return failure(local.error());
  family_ = local->family();
  connected_ = Address::peer_of(socket.fd()).has_value();
  socket_ = std::move(socket);
  return {};
}

Error Udp::send_refusal(const Address* to) const {
  if (is_closing()) return Error::bad_state;
  if (!to && !connected_) return Error::not_connected;
  if (to && connected_) return Error::already_connected;
  return Error::none;
}

Result<void> Udp::send(DatagramRequest& request, Bytes bytes, const Address* to,
                       DatagramRequest::Callback callback) {
  if (const Error refusal = send_refusal(to); refusal != Error::none) return failure(refusal);
  if (to) {
    if (auto opened = open(to->family()); !opened) return opened;
  }
  request.done_ = callback;
  request.socket_ = this;
  request.bytes_ = bytes;
  request.to_ = to ? *to : Address();
  request.error_ = Error::none;
  ++loop_.active_requests_;
  queued_bytes_ += bytes.size();
  ++queued_datagrams_;
  loop_.trace_schedule(Kind::write_done, request.tag_);
  const bool first = queue_.empty();
  queue_.push_back(request);
  if (first) send_queue();
  if (is_mutant(Mutant::udp_send_synchronous)) deliver_sent();
  return {};
}

Result<void> Udp::try_send(Bytes bytes, const Address* to) {
  if (const Error refusal = send_refusal(to); refusal != Error::none) return failure(refusal);
  if (!queue_.empty()) return failure(Error::again);
  if (to) {
    if (auto opened = open(to->family()); !opened) return opened;
  }
  return attempt(bytes, to);
}

Result<void> Udp::attempt(Bytes bytes, const Address* to) {
  ssize_t sent;
  do {
    sent = sys::sendto(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL, to ? to->raw() : nullptr,
                       to ? to->size() : socklen_t{0});
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return failure(Error::again);
  return failure(last_error());
}

// A bounded number per turn. ENOBUFS is an outcome: the device's queue is full, about which epoll says
// nothing, so that waiting for room would not wait.
void Udp::send_queue() {
  for (int sent = 0; sent < kDatagramsPerBatch && !queue_.empty(); ++sent) {
    DatagramRequest& request = queue_.front();
    const auto result = attempt(request.bytes_, request.to_.family() == 0 ? nullptr : &request.to_);
    if (!result && result.error() == Error::again) break;
    complete_front(result ? Error::none : result.error());
  }
  if (const auto watched = update_interest(); !watched) {
    while (!queue_.empty()) complete_front(watched.error());
  }
}

void Udp::complete_front(Error error) {
  DatagramRequest& request = queue_.pop_front();
  request.error_ = error;
  queued_bytes_ -= request.bytes_.size();
  --queued_datagrams_;
  if (is_mutant(Mutant::udp_callbacks_newest_first))
    sent_.push_front(request);
  else
    sent_.push_back(request);
  loop_.defer(*this);
}

// What a callback of this round sends is reported in the next.
void Udp::deliver_sent() {
  IntrusiveList<DatagramRequest> round;
  round.splice_back(sent_);
  while (!round.empty()) {
    DatagramRequest& request = round.pop_front();
    --loop_.active_requests_;
    if (is_mutant(Mutant::udp_close_loses_sends) && is_closing()) continue;
    loop_.invoke(Kind::write_done, request.tag_, [&] {
      if (request.done_) request.done_(request, request.error_);
    });
  }
}

void Udp::deliver_pending() {
  deliver_sent();
  if (receiving_ && !kept_.empty()) deliver_kept();
}

Result<void> Udp::update_interest() {
  const std::uint32_t wanted = (receiving_ ? EPOLLIN : 0u) | (queue_.empty() ? 0u : EPOLLOUT);
  if (wanted == watch_.interest) return {};
  if (wanted == 0) {
    loop_.backend_->unwatch(watch_);
    return {};
  }
  watch_.on_ready = [](FdWatch& watch, std::uint32_t events) {
    static_cast<Watch&>(watch).udp->ready(events);
  };
  return loop_.backend_->watch(watch_, socket_.fd(), wanted);
}

void Udp::ready(std::uint32_t events) {
  if (receiving_ && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) receive_batch();
  if (is_closing()) return;
  if (!queue_.empty() && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) send_queue();
}

void Udp::begin_close() {
  receiving_ = false;
  kept_.clear();
  refloop::ListHook<PendingTag>::unlink();
  if (socket_) loop_.backend_->unwatch(watch_);
  socket_.reset();
}

void Udp::finish_close() {
  while (!queue_.empty()) complete_front(Error::canceled);
  refloop::ListHook<PendingTag>::unlink();
  deliver_sent();
}

}  // namespace refloop
