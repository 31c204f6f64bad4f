// One attempt at moving a stream's bytes, whatever its descriptor is: nothing here waits or calls back.
//
// For backends. Error::again: not now. None of them raises SIGPIPE.
#pragma once

#include <cerrno>
#include <cstddef>
#include <span>
#include <sys/uio.h>

#include "reference-loop/error.h"
#include "reference-loop/stream.h"
#include "reference-loop/sys.h"

namespace refloop {

class StreamIo {
 public:
  // 0: the end. Descriptors that came with the bytes are in the pipe's queue.
  static Result<std::size_t> receive(Stream& stream, std::span<std::byte> into) {
    if (stream.transport_ == Transport::socket) [[likely]]
      return taken([&] { return sys::recv(stream.fd(), into.data(), into.size(), 0); });
    return receive_other(stream, into);
  }

  static Result<std::size_t> send(Stream& stream, std::span<iovec> buffers) {
    if (stream.transport_ == Transport::plain) [[unlikely]]
      return write_plain(stream.fd(), buffers);
    if (buffers.size() == 1) {
      return taken(
          [&] { return sys::send(stream.fd(), buffers[0].iov_base, buffers[0].iov_len, MSG_NOSIGNAL); });
    }
    msghdr message{};
    message.msg_iov = buffers.data();
    message.msg_iovlen = buffers.size();
    return taken([&] { return sys::sendmsg(stream.fd(), &message, MSG_NOSIGNAL); });
  }

  // What is left of the request, and its descriptor with the first of it.
  static Result<std::size_t> send(Stream& stream, WriteRequest& request) {
    if (request.descriptor_) [[unlikely]]
      return send_with_descriptor(stream, request);
    return send(stream, request.unsent());
  }

  // No more bytes from here. A plain descriptor that was opened for writing only is closed; one that is read,
  // too, has no such half: Error::not_supported.
  static Result<void> shutdown(Stream& stream);

 private:
  // The outcome of one system call, made again if a signal interrupted it. A stream's bytes are never dropped
  // for want of buffers, so that is a reason to try later, not an error.
  template <typename Call>
  static Result<std::size_t> taken(Call&& call) {
    ssize_t size;
    do size = call();
    while (size < 0 && errno == EINTR);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return failure(Error::again);
    return failure(last_error());
  }

  static Result<std::size_t> receive_other(Stream& stream, std::span<std::byte> into);
  static Result<std::size_t> receive_with_descriptors(Stream& stream, std::span<std::byte> into);
  static Result<std::size_t> write_plain(int fd, std::span<iovec> buffers);
  static Result<std::size_t> send_with_descriptor(Stream& stream, WriteRequest& request);
};

}  // namespace refloop
