#include "baselines/cluster/channel.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>

namespace tickmark {
namespace {

// A control message that carries one descriptor, aligned as cmsghdr wants it.
struct DescriptorMessage {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 's';
  iovec text{&byte, 1};
  msghdr header{};

  DescriptorMessage() {
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

}  // namespace

Expected<std::pair<UniqueFd, UniqueFd>> make_channel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return environment_error(
        fmt::format("cannot make a channel to a worker: {}; raise 'ulimit -n'", std::strerror(errno)));
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

bool send_socket(int channel, int socket) {
  DescriptorMessage message;
  cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &socket, sizeof socket);
  ssize_t sent;
  do sent = ::sendmsg(channel, &message.header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == 1;
}

Received receive_socket(int channel) {
  DescriptorMessage message;
  const ssize_t got = ::recvmsg(channel, &message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return {.socket = {}, .ended = errno != EAGAIN && errno != EINTR};
  if (got == 0) return {.socket = {}, .ended = true};
  Received received;
  const cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  // Without one the kernel could not install it here: this process is out of descriptors, the client sees a
  // close.
  if (!control || control->cmsg_type != SCM_RIGHTS) return received;
  int socket;
  std::memcpy(&socket, CMSG_DATA(control), sizeof socket);
  received.socket.reset(socket);
  return received;
}

bool send_text(int channel, const std::string& text) {
  return ::send(channel, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::optional<std::string> receive_text(int channel) {
  std::array<char, 4096> buffer;
  ssize_t got;
  do got = ::recv(channel, buffer.data(), buffer.size(), 0);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  return std::string(buffer.data(), static_cast<size_t>(got));
}

}  // namespace tickmark
