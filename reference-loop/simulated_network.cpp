#include "reference-loop/simulated_network.h"

#include <algorithm>

#include "reference-loop/limits.h"
#include "reference-loop/listener.h"
#include "reference-loop/simulation.h"
#include "reference-loop/stream.h"
#include "reference-loop/sys.h"

namespace refloop {

SimulatedNetwork::~SimulatedNetwork() = default;

Nanos SimulatedNetwork::arrival() const {
  if (simulation_.is_open()) return simulation_.now();
  const auto& [least, most] = simulation_.options().transit;
  return simulation_.now() + simulation_.choices().between(least, most);
}

// A number that is in use belongs to a descriptor that was dropped without a stream.
SimulatedEnd& SimulatedNetwork::make_end(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= ends_.size()) ends_.resize(std::max(index + 1, ends_.size() * 2));
  if (ends_[index]) disconnect(*ends_[index]);
  ends_[index] = std::make_unique<SimulatedEnd>(*this, fd);
  return *ends_[index];
}

SimulatedEnd* SimulatedNetwork::end_of(Stream& stream) {
  const auto index = static_cast<std::size_t>(stream.fd());
  if (index >= ends_.size() || !ends_[index]) return nullptr;
  ends_[index]->stream_ = &stream;
  return ends_[index].get();
}

Result<std::pair<Socket, Socket>> SimulatedNetwork::pair() {
  Socket a(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Socket b(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!a || !b) return failure(last_error());
  SimulatedEnd& source = make_end(a.fd());
  SimulatedEnd& target = make_end(b.fd());
  source.peer_ = &target;
  target.peer_ = &source;
  return std::pair(std::move(a), std::move(b));
}

void SimulatedNetwork::listen(Listener& listener) {
  ports_.push_back(std::make_unique<SimulatedPort>(*this, listener));
}

void SimulatedNetwork::close(Listener& listener) {
  const auto found = std::ranges::find_if(ports_, [&](auto& port) { return port->listener_ == &listener; });
  if (found == ports_.end()) return;
  SimulatedPort& port = **found;
  port.listener_ = nullptr;
  simulation_.agenda_.withdraw(port);
  for (const auto& arrival : port.arrivals_) disconnect(*arrival.end);
  closed_ports_.push_back(std::move(*found));
  ports_.erase(found);
}

Result<void> SimulatedNetwork::connect(Stream& stream, const Address& peer) {
  const auto listens = [&](auto& port) {
    const auto address = port->listener_->local_address();
    if (!address || address->family() != peer.family()) return false;
    return peer.family() == AF_UNIX ? address->host() == peer.host() : address->port() == peer.port();
  };
  SimulatedEnd& client = make_end(stream.fd());
  client.stream_ = &stream;
  client.connected_time_ = arrival();
  if (peer.family() != AF_UNIX && peer.port() == kDiscardPort) {
    SimulatedEnd& server = *discarding_ends_.emplace_back(std::make_unique<SimulatedEnd>(*this, -1));
    server.discards_ = true;
    client.peer_ = &server;
    server.peer_ = &client;
    client.attend();
    return {};
  }
  const auto port = std::ranges::find_if(ports_, listens);
  if (port == ports_.end()) {
    client.connect_error_ = Error::connection_refused;
    client.attend();
    return {};
  }
  Socket socket(sys::socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failure(last_error());
  SimulatedEnd& server = make_end(socket.fd());
  client.peer_ = &server;
  server.peer_ = &client;
  client.attend();
  (*port)->arrivals_.push_back({client.connected_time_, std::move(socket), &server});
  (*port)->attend();
  return {};
}

void SimulatedNetwork::close(Stream& stream) {
  if (SimulatedEnd* end = end_of(stream)) disconnect(*end);
}

namespace {

bool lingers_hard(int fd) {
  linger option{};
  socklen_t size = sizeof(option);
  return sys::getsockopt(fd, SOL_SOCKET, SO_LINGER, &option, &size) == 0 && option.l_onoff &&
         !option.l_linger;
}

}  // namespace

// With bytes unread it is a reset, as TCP does it; what was sent before arrives all the same.
void SimulatedNetwork::disconnect(SimulatedEnd& end) {
  simulation_.agenda_.withdraw(end);
  end.closed_ = true;
  if (SimulatedEnd* peer = std::exchange(end.peer_, nullptr)) {
    const bool resets = end.consumed_ < end.bytes_.size() || lingers_hard(end.fd_);
    if (resets || !end.end_sent_)
      peer->arrive(resets ? SimulatedEnd::What::reset : SimulatedEnd::What::end, 0);
    peer->peer_ = nullptr;
    if (peer->waits_for_room()) peer->writable_time_ = arrival();  // and learns that it waited in vain
    peer->attend();
  }
  const auto owner = end.discards_
                         ? std::ranges::find(discarding_ends_, &end, &std::unique_ptr<SimulatedEnd>::get)
                         : ends_.begin() + end.fd_;
  closed_ends_.push_back(std::move(*owner));
  if (end.discards_) discarding_ends_.erase(owner);
}

void SimulatedNetwork::bury() {
  closed_ends_.clear();
  closed_ports_.clear();
}

void SimulatedPort::attend() {
  if (!arrivals_.empty()) network_.simulation_.agenda_.schedule(*this, arrivals_.front().time);
}

// The user may drop the descriptor, or close the listener, at any of them.
void SimulatedPort::happen() {
  const Nanos now = network_.simulation_.now();
  for (int taken = 0; taken < kAcceptsPerBatch; ++taken) {
    if (!listener_ || arrivals_.empty() || arrivals_.front().time > now) break;
    Arrival arrival = std::move(arrivals_.front());
    arrivals_.pop_front();
    listener_->accepted(std::move(arrival.socket));
    SimulatedEnd& end = *arrival.end;
    const bool dropped = !end.closed_ && sys::fcntl(end.fd_, F_GETFD) < 0;
    if (dropped) network_.disconnect(end);
  }
  if (listener_) attend();
}

}  // namespace refloop
