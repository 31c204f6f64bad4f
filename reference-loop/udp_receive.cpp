// The receiving half of Udp, and the options of the socket.
#include <algorithm>
#include <array>
#include <cstring>

#include "reference-loop/sys.h"
#include "reference-loop/udp.h"

namespace refloop {
namespace {

// What recvmmsg() fills: addresses and sizes here, the bytes in the loop's buffer.
struct ReceiveBatch {
  std::array<mmsghdr, kDatagramsPerBatch> messages{};
  std::array<iovec, kDatagramsPerBatch> buffers;
  std::array<sockaddr_storage, kDatagramsPerBatch> addresses;

  ReceiveBatch(std::byte* room, std::size_t bytes_max) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      buffers[i] = {room + i * kDatagramBytesMax, bytes_max};
      msghdr& header = messages[i].msg_hdr;
      header.msg_iov = &buffers[i];
      header.msg_iovlen = 1;
      header.msg_name = &addresses[i];
      header.msg_namelen = sizeof(addresses[i]);
    }
  }
};

}  // namespace

Result<void> Udp::receive_start(ReceiveCallback on_receive, ErrorCallback on_error, std::size_t bytes_max) {
  if (is_closing() || !on_receive || !on_error) return failure(Error::bad_state);
  if (bytes_max < 1 || bytes_max > kDatagramBytesMax) return failure(Error::bad_state);
  if (!socket_) return failure(Error::not_connected);
  // Untouched pages cost nothing: a socket of small datagrams uses one per datagram of a batch.
  constexpr std::size_t kBufferBytes = kDatagramBytesMax * kDatagramsPerBatch;
  if (!loop_.datagram_buffer_.data() && !loop_.datagram_buffer_.allocate(kBufferBytes))
    return failure(Error::no_memory);
  on_receive_ = on_receive;
  on_error_ = on_error;
  bytes_max_ = bytes_max;
  if (receiving_) return {};
  receiving_ = true;
  if (auto watched = update_interest(); !watched) {
    receiving_ = false;
    return watched;
  }
  activate();
  loop_.trace_schedule(kind_, tag_);
  if (!kept_.empty()) loop_.defer(*this);
  return {};
}

void Udp::receive_stop() {
  if (!receiving_ || is_mutant(Mutant::udp_receives_after_stop)) return;
  receiving_ = false;
  (void)update_interest();
  deactivate();
}

// One batch per event: what is left is reported again, behind everybody else's turn.
void Udp::receive_batch() {
  deliver_kept();
  if (!receiving_) return;
  ReceiveBatch batch(loop_.datagram_buffer_.data(), bytes_max_);
  int count;
  do {
    count = sys::recvmmsg(socket_.fd(), batch.messages.data(), unsigned{kDatagramsPerBatch}, MSG_DONTWAIT,
                          nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    const Error error = last_error();
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    loop_.invoke(Kind::read, tag_, [&] { on_error_(*this, error); });
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) && !is_closing(); ++i) {
    const mmsghdr& message = batch.messages[i];
    const Address from = Address::of(batch.addresses[i], message.msg_hdr.msg_namelen);
    const Bytes bytes(static_cast<const std::byte*>(batch.buffers[i].iov_base), message.msg_len);
    const bool truncated = message.msg_hdr.msg_flags & MSG_TRUNC;
    if (receiving_ && kept_.empty())
      deliver({bytes, from, truncated});
    else
      kept_.push_back({{bytes.begin(), bytes.end()}, from, truncated});
  }
}

void Udp::deliver(const Datagram& datagram) {
  loop_.invoke(Kind::read, tag_, [&] { on_receive_(*this, datagram); });
}

void Udp::deliver_kept() {
  while (receiving_ && !kept_.empty()) {
    const Kept kept = std::move(kept_.front());
    kept_.pop_front();
    deliver({kept.bytes, kept.from, kept.truncated});
  }
}

Result<void> Udp::set_option(int level, int name, int value) {
  if (is_closing()) return failure(Error::bad_state);
  if (!socket_) return failure(Error::not_connected);
  if (sys::setsockopt(socket_.fd(), level, name, &value, socklen_t{sizeof(value)}) != 0)
    return failure(last_error());
  return {};
}

Result<void> Udp::set_ip_option(int name_v4, int name_v6, int value) {
  if (family_ == AF_INET6) return set_option(IPPROTO_IPV6, name_v6, value);
  return set_option(IPPROTO_IP, name_v4, value);
}

Result<void> Udp::set_broadcast(bool on) { return set_option(SOL_SOCKET, SO_BROADCAST, on ? 1 : 0); }

Result<void> Udp::set_ttl(int hops) {
  if (hops < 1 || hops > 255) return failure(Error::bad_state);
  return set_ip_option(IP_TTL, IPV6_UNICAST_HOPS, hops);
}

Result<void> Udp::set_multicast_ttl(int hops) {
  if (hops < 0 || hops > 255) return failure(Error::bad_state);
  return set_ip_option(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops);
}

Result<void> Udp::set_multicast_loop(bool on) {
  return set_ip_option(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on ? 1 : 0);
}

Result<void> Udp::join(const Address& group, unsigned interface_index) {
  return change_membership(MCAST_JOIN_GROUP, group, interface_index);
}

Result<void> Udp::leave(const Address& group, unsigned interface_index) {
  return change_membership(MCAST_LEAVE_GROUP, group, interface_index);
}

Result<void> Udp::change_membership(int name, const Address& group, unsigned interface_index) {
  if (is_closing()) return failure(Error::bad_state);
  if (!socket_) return failure(Error::not_connected);
  group_req request{};
  request.gr_interface = interface_index;
  std::memcpy(&request.gr_group, group.raw(), std::min<std::size_t>(group.size(), sizeof(request.gr_group)));
  const int level = group.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (sys::setsockopt(socket_.fd(), level, name, &request, socklen_t{sizeof(request)}) != 0)
    return failure(last_error());
  return {};
}

}  // namespace refloop
