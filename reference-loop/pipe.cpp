#include "reference-loop/pipe.h"

#include "reference-loop/sys.h"

namespace refloop {

Pipe::Pipe(Loop& loop, PipeOptions options) : Stream(loop) {
  if (options.passes_descriptors) transport_ = Transport::passing;
}

Result<std::pair<Socket, Socket>> Pipe::make_pair() {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failure(last_error());
  return std::pair(Socket(ends[0]), Socket(ends[1]));
}

Result<void> Pipe::adopt(Socket socket) {
  struct stat about;
  if (sys::fstat(socket.fd(), &about) != 0) return failure(last_error());
  const bool is_plain = S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode);
  if (!is_plain && !S_ISSOCK(about.st_mode)) return failure(Error::not_supported);
  if (is_plain && transport_ == Transport::passing) return failure(Error::not_supported);
  if (auto adopted = Stream::adopt(std::move(socket)); !adopted) return adopted;
  if (is_plain) transport_ = Transport::plain;
  return {};
}

void Pipe::take(Socket socket) {
  socket_ = std::move(socket);
  watch_.stream = this;
}

Result<void> Pipe::write(WriteRequest& request, Bytes bytes, Socket descriptor,
                         WriteRequest::Callback callback) {
  if (!descriptor || bytes.empty() || transport_ != Transport::passing) return failure(Error::bad_state);
  request.descriptor_ = std::move(descriptor);
  auto written = Stream::write(request, bytes, callback);
  if (!written) request.descriptor_.reset();
  return written;
}

Socket Pipe::take_descriptor() {
  if (descriptors_.empty()) return {};
  Socket oldest = std::move(descriptors_.front());
  descriptors_.pop_front();
  return oldest;
}

bool Pipe::keep_descriptor(Socket descriptor) {
  if (descriptors_.size() >= kDescriptorsQueuedMax) return false;
  descriptors_.push_back(std::move(descriptor));
  return true;
}

void Pipe::begin_close() {
  descriptors_.clear();
  Stream::begin_close();
}

}  // namespace refloop
