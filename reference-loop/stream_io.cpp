// Streams that are no plain socket: descriptors beside the bytes, and descriptors that are pipes.
#include "reference-loop/stream_io.h"

#include <array>
#include <cstring>

#include "reference-loop/pipe.h"

namespace refloop {
namespace {

constexpr std::size_t kDescriptorsPerMessageMax = 253;  // SCM_MAX_FD of the kernel

// write() knows no MSG_NOSIGNAL. SIGPIPE goes to the thread that wrote: held back for the time of the call
// and taken if the call raised it, nobody sees it, and nobody else's disposition is changed.
class SigpipeHold {
 public:
  SigpipeHold() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    sigset_t pending;
    sigemptyset(&pending);
    sys::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sys::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~SigpipeHold() {
    const int error = errno;
    const timespec at_once{};
    if (error == EPIPE && !was_pending_) {
      while (sys::sigtimedwait(&set_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    sys::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  SigpipeHold(const SigpipeHold&) = delete;
  SigpipeHold& operator=(const SigpipeHold&) = delete;

 private:
  sigset_t set_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace

Result<std::size_t> StreamIo::receive_other(Stream& stream, std::span<std::byte> into) {
  if (stream.transport_ == Transport::passing) return receive_with_descriptors(stream, into);
  return taken([&] { return sys::read(stream.fd(), into.data(), into.size()); });
}

Result<std::size_t> StreamIo::receive_with_descriptors(Stream& stream, std::span<std::byte> into) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kDescriptorsPerMessageMax * sizeof(int))> control;
  iovec buffer{into.data(), into.size()};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = taken([&] { return sys::recvmsg(stream.fd(), &message, MSG_CMSG_CLOEXEC); });
  if (!size) return size;
  Error error = Error::none;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, reinterpret_cast<std::byte*>(part) + at, sizeof(fd));
      if (!static_cast<Pipe&>(stream).keep_descriptor(Socket(fd))) error = Error::too_many_references;
    }
  }
  // Cut short although there was room: this process has no descriptor left for them.
  if (message.msg_flags & MSG_CTRUNC) error = error_from_errno(EMFILE);
  if (error != Error::none) return failure(error);
  return size;
}

Result<std::size_t> StreamIo::send_with_descriptor(Stream& stream, WriteRequest& request) {
  const int fd = request.descriptor_.fd();
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(fd))> control{};
  const std::span<iovec> buffers = request.unsent();
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(part), &fd, sizeof(fd));
  const auto sent = taken([&] { return sys::sendmsg(stream.fd(), &message, MSG_NOSIGNAL); });
  if (sent && *sent > 0) request.descriptor_.reset();  // the kernel holds it now
  return sent;
}

Result<std::size_t> StreamIo::write_plain(int fd, std::span<iovec> buffers) {
  const SigpipeHold hold;
  return taken([&] { return sys::writev(fd, buffers.data(), static_cast<int>(buffers.size())); });
}

Result<void> StreamIo::shutdown(Stream& stream) {
  if (stream.transport_ != Transport::plain) {
    if (sys::shutdown(stream.fd(), SHUT_WR) != 0) return failure(last_error());
    return {};
  }
  const int flags = sys::fcntl(stream.fd(), F_GETFL);
  if (flags < 0) return failure(last_error());
  if ((flags & O_ACCMODE) != O_WRONLY) return failure(Error::not_supported);
  stream.socket_.reset();
  return {};
}

}  // namespace refloop
