// A local byte stream: a unix-domain socket by path or pair, on which open descriptors can travel with the
// bytes; or an adopted pipe, FIFO or character device, such as the standard streams of a child.
//
// Everything Stream promises holds. Descriptors arrive in the order they were sent, and none later than the
// first byte it was sent with: when that byte is delivered, take_descriptor() has it.
#pragma once

#include <deque>
#include <utility>

#include "reference-loop/stream.h"

namespace refloop {

struct PipeOptions {
  // Descriptors can be sent and are received. Off, those a peer sends are dropped by the kernel.
  bool passes_descriptors = false;
};

class Pipe : public Stream {
 public:
  explicit Pipe(Loop& loop, PipeOptions options = {});

  // A connected pair of unix stream sockets, blocking and close-on-exec: adopt() one, give away the other.
  static Result<std::pair<Socket, Socket>> make_pair();

  // Becomes the stream on `socket`, which is made non-blocking: for a terminal or an inherited pipe, that
  // is seen by everybody who shares it. Error::not_supported for what cannot be waited for (a regular file,
  // a directory). A descriptor open in one direction only fails in the other with what the kernel says
  // (EBADF). shutdown() closes a descriptor that was opened for writing only, so that its reader sees the
  // end; on one open for both (a terminal) it is Error::not_supported.
  Result<void> adopt(Socket socket);

  using Stream::write;
  // Sends `descriptor` with the first of `bytes`; it is taken in any case, and closed here once the kernel
  // has it, or the write failed or was cancelled. Error::bad_state without bytes, or unless the pipe passes
  // descriptors.
  Result<void> write(WriteRequest& request, Bytes bytes, Socket descriptor, WriteRequest::Callback callback);

  // The descriptor that has waited longest; empty if none waits. Those never taken are closed by close().
  // More than kDescriptorsQueuedMax waiting end the stream with Error::too_many_references: a peer cannot
  // make this process run out of them. EMFILE ends it, too: there was none left to receive one.
  Socket take_descriptor();
  std::size_t waiting_descriptors() const { return descriptors_.size(); }

 private:
  friend class Spawner;
  friend class StreamIo;

  void begin_close() override;
  // adopt() without what could fail: a socket of make_pair() that does not block any more.
  void take(Socket socket);
  // False: too many wait, and this one was closed.
  bool keep_descriptor(Socket descriptor);

  std::deque<Socket> descriptors_;
};

}  // namespace refloop
