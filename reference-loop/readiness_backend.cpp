#include "reference-loop/readiness_backend.h"

#include <cerrno>
#include <sys/epoll.h>

#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/stream.h"
#include "reference-loop/stream_io.h"
#include "reference-loop/sys.h"

namespace refloop {

Result<void> ReadinessBackend::connect(Stream& stream, const Address& peer) {
  const int result = sys::connect(stream.fd(), peer.raw(), peer.size());
  // Interrupted, it goes on all the same; asked again, it would say EALREADY.
  if (result != 0 && errno != EINPROGRESS && errno != EINTR) return failure(last_error());
  return watch_stream(stream, EPOLLOUT);
}

Result<void> ReadinessBackend::read_start(Stream& stream) {
  if (stream.watch_.interest & EPOLLIN) return {};  // a stop that the kernel never heard of
  return watch_stream(stream, stream.watch_.interest | EPOLLIN);
}

// Nothing now: the interest is dropped when an event arrives that nobody wants, so that stopping and
// starting within a message costs no syscall.
void ReadinessBackend::read_stop(Stream&) {}

void ReadinessBackend::write(Stream& stream) {
  while (!stream.queue_.empty()) {
    WriteRequest& request = stream.queue_.front();
    const auto sent = StreamIo::send(stream, request);
    if (!sent && sent.error() != Error::again) {
      stream.front_written(sent.error());
      return;
    }
    if (!sent) break;
    stream.queued_bytes_ -= *sent;
    request.consume(*sent);
    if (request.bytes_left() > 0) continue;
    stream.front_written(Error::none);
  }
  if (!stream.queue_.empty() && !(stream.watch_.interest & EPOLLOUT)) {
    const auto armed = watch_stream(stream, stream.watch_.interest | EPOLLOUT);
    if (!armed) stream.front_written(armed.error());
  }
}

Result<std::size_t> ReadinessBackend::try_write(Stream& stream, std::span<iovec> buffers) {
  return StreamIo::send(stream, buffers);
}

Result<void> ReadinessBackend::send(Stream& stream, Bytes first, Bytes second) {
  if (!second.empty()) return stream.send_rest(first, second, stream.send_now(first, second));
  iovec buffer{const_cast<std::byte*>(first.data()), first.size()};
  const auto taken = StreamIo::send(stream, std::span(&buffer, 1));
  if (taken && *taken == first.size()) [[likely]]
    return {};
  return stream.send_rest(first, second, taken);
}

Result<void> ReadinessBackend::shutdown(Stream& stream) {
  if (stream.transport_ == Transport::plain) unwatch(stream.watch_);  // the descriptor is closed
  return StreamIo::shutdown(stream);
}

void ReadinessBackend::close(Stream& stream) { unwatch(stream.watch_); }

Result<void> ReadinessBackend::watch_stream(Stream& stream, std::uint32_t events) {
  stream.watch_.on_ready = [](FdWatch& watch, std::uint32_t ready) {
    Stream& target = *static_cast<Stream::Watch&>(watch).stream;
    static_cast<ReadinessBackend&>(*target.loop().backend_).stream_ready(target, ready);
  };
  if (events != 0) return watch(stream.watch_, stream.fd(), events);
  unwatch(stream.watch_);
  return {};
}

void ReadinessBackend::stream_ready(Stream& stream, std::uint32_t events) {
  if (stream.connecting_) {
    finish_connect(stream);
    return;
  }
  // Errors and hang-ups are learnt from recv() or send(), which know the reason.
  if (stream.reading_ && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) receive(stream);
  if (stream.is_closing()) return;
  if (!stream.queue_.empty() && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) write(stream);
  drop_unwanted_interest(stream, events);
}

void ReadinessBackend::drop_unwanted_interest(Stream& stream, std::uint32_t events) {
  const std::uint32_t wanted = (stream.reading_ ? EPOLLIN : 0u) | (stream.queue_.empty() ? 0u : EPOLLOUT);
  const bool unwanted =
      (events & ~wanted & (EPOLLIN | EPOLLOUT)) || (wanted == 0 && (events & (EPOLLERR | EPOLLHUP)));
  if (unwanted) (void)watch_stream(stream, wanted);
}

// Once per event: what is left is reported again by the next batch, behind everybody else's turn.
void ReadinessBackend::receive(Stream& stream) {
  const auto size = StreamIo::receive(stream, std::span(loop_.read_buffer_.data(), kReadBufferBytes));
  if (size && *size > 0) [[likely]]
    stream.received(Bytes(loop_.read_buffer_.data(), *size));
  else if (size)
    stream.ended(Error::none);
  else if (size.error() != Error::again)
    stream.ended(size.error());
}

void ReadinessBackend::finish_connect(Stream& stream) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (sys::getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  unwatch(stream.watch_);
  stream.connected(error_from_errno(error));
}

Result<void> ReadinessBackend::listen(Listener& listener) {
  listener.watch_.on_ready = [](FdWatch& watch, std::uint32_t) {
    Listener& target = *static_cast<Listener::Watch&>(watch).listener;
    static_cast<ReadinessBackend&>(*target.loop().backend_).accept_some(target);
  };
  return watch(listener.watch_, listener.fd(), EPOLLIN);
}

void ReadinessBackend::close(Listener& listener) { unwatch(listener.watch_); }

// Failures count as turns, so that no storm of them holds up the others; what still waits is reported again.
void ReadinessBackend::accept_some(Listener& listener) {
  for (int turn = 0; turn < kAcceptsPerBatch && !listener.is_closing(); ++turn) {
    const int fd = sys::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      listener.accepted(Socket(fd));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (!concerns_one_connection(errno)) return listener.out_of_descriptors();
  }
}

}  // namespace refloop
