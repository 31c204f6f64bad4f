#include "reference-loop/cluster_channel.h"

#include <array>
#include <cstring>

#include "reference-loop/sys.h"

namespace refloop {
namespace {

// Room for one descriptor, aligned as cmsghdr wants it.
struct DescriptorSpace {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

void put_descriptor(msghdr& header, DescriptorSpace& space, int descriptor) {
  header.msg_control = space.bytes.data();
  header.msg_controllen = space.bytes.size();
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
}

Socket take_descriptor(msghdr& header) {
  const cmsghdr* control = CMSG_FIRSTHDR(&header);
  if (!control || control->cmsg_type != SCM_RIGHTS) return {};
  int descriptor;
  std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return Socket(descriptor);
}

// Whether a packet that was refused may be taken by the next try.
bool may_pass(int error) { return error == EAGAIN || error == ENOBUFS || error == ENOMEM; }

}  // namespace

Result<std::pair<Socket, Socket>> make_cluster_channel() {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failure(last_error());
  return std::pair(Socket(ends[0]), Socket(ends[1]));
}

Result<void> send_packet(const Socket& channel, ChannelSend mode, ClusterPacket::Kind kind,
                         std::string_view text, const Socket* connection) {
  if (text.size() > kClusterMessageBytesMax) return failure(error_from_errno(EMSGSIZE));
  iovec parts[2] = {{&kind, sizeof kind}, {const_cast<char*>(text.data()), text.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  DescriptorSpace space;
  if (connection) put_descriptor(header, space, connection->fd());
  const int flags = MSG_NOSIGNAL | (mode == ChannelSend::at_once ? MSG_DONTWAIT : 0);
  for (int tries = 0;;) {
    if (sys::sendmsg(channel.fd(), &header, flags) >= 0) return {};
    if (errno == EINTR) continue;
    if (!may_pass(errno)) return failure(last_error());
    if (mode == ChannelSend::at_once) return failure(Error::again);
    constexpr int kTriesMax = 1000;
    if (++tries == kTriesMax) return failure(Error::no_memory);
    sys::poll(static_cast<pollfd*>(nullptr), nfds_t{0}, 1);  // a millisecond
  }
}

Result<ClusterPacket> receive_packet(const Socket& channel) {
  std::array<char, kClusterMessageBytesMax> text;
  ClusterPacket packet;
  iovec parts[2] = {{&packet.kind, sizeof packet.kind}, {text.data(), text.size()}};
  DescriptorSpace space;
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  header.msg_control = space.bytes.data();
  header.msg_controllen = space.bytes.size();
  ssize_t got;
  do got = sys::recvmsg(channel.fd(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == ENOMEM)) return failure(last_error());
  if (got <= 0) return failure(Error::not_connected);
  packet.text.assign(text.data(), static_cast<std::size_t>(got) - sizeof packet.kind);
  packet.socket = take_descriptor(header);
  return packet;
}

}  // namespace refloop
