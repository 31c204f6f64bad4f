// The seam between the model (phases, handles, requests: loop.h, stream.h) and the kernel.
//
// A backend implements *stream verbs* (connect, read, write, shutdown, close, listen), not readiness:
// epoll maps "read" to waiting and recv(), io_uring maps it to a multishot receive into provided
// buffers, and neither imitates the other. What a verb produced comes back as a call of a private member
// of Stream or Listener (received, ended, connected, front_written, accepted), made in the poll phase
// only, through the loop's one callback funnel.
//
// One virtual call per verb, none per event: on the hot path that is one per write, about 2 ns in a
// message of 8 us, for which the whole loop stays independent of the backend at link time and one
// binary can compare backends. Foreign descriptors and the loop's own eventfd use watch(), which
// every backend can express.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/uio.h>

#include "reference-loop/address.h"
#include "reference-loop/error.h"
#include "reference-loop/time.h"

namespace refloop {

class FsRequest;
class Listener;
class Loop;
class Stream;

// Interest in the readiness of one descriptor. Memory belongs to the owner; unwatch() before it goes.
struct FdWatch {
  using Callback = void (*)(FdWatch&, std::uint32_t events);
  int fd = -1;                 // -1: not watched
  std::uint32_t interest = 0;  // EPOLL* bits the kernel knows of
  Callback on_ready = nullptr;
  bool runs_last = false;  // behind all other events of its batch
};

class Backend {
 public:
  virtual ~Backend() = default;
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Waits at most `timeout` (negative: for ever) for one batch of events and delivers them; goes on
  // without waiting only while batches come back full, and only a bounded number of times.
  virtual void poll(Nanos timeout) = 0;

  // What callbacks asked for may wait for the next poll() to be submitted. These do not wait for it: writes
  // are written as far as they go, as the pending phase expects them; and everything, when run() returns.
  virtual void flush_writes() {}
  virtual void flush() {}

  // Level-triggered readiness unless `events` holds EPOLLET. Replaces an earlier interest of `watch`.
  virtual Result<void> watch(FdWatch& watch, int fd, std::uint32_t events) = 0;
  virtual void unwatch(FdWatch& watch) = 0;

  // Streams. The socket is open and non-blocking; on failure nothing was started.
  virtual Result<void> connect(Stream& stream, const Address& peer) = 0;
  virtual Result<void> read_start(Stream& stream) = 0;
  virtual void read_stop(Stream& stream) = 0;
  // The stream's queue has requests: send what can be sent, report by Stream::front_written.
  virtual void write(Stream& stream) = 0;
  // Sends at once what fits, past no queue (the caller made sure it is empty). Error::again: nothing fits.
  virtual Result<std::size_t> try_write(Stream& stream, std::span<iovec> buffers) = 0;
  // All of it: what does not fit now waits in the stream's queue (Stream::send_rest). It may keep a copy of
  // the bytes and send that with others before it waits again.
  virtual Result<void> send(Stream& stream, std::span<const std::byte> first,
                            std::span<const std::byte> second) = 0;
  // What send() kept is sent: afterwards what did not fit is in the stream's queue.
  virtual void settle(Stream&) {}
  virtual Result<void> shutdown(Stream& stream) = 0;
  virtual void close(Stream& stream) = 0;

  // Listeners. Accepts until the queue is empty or a fair share is taken, per batch.
  virtual Result<void> listen(Listener& listener) = 0;
  virtual void close(Listener& listener) = 0;

  // Files. True: the backend carries the request out itself, and ends it in a later poll() by
  // Pool::deliver_native(). False: it goes to a worker thread.
  virtual bool start(FsRequest&) { return false; }
  // True: it had not started, never will, and ends with Error::canceled.
  virtual bool cancel(FsRequest&) { return false; }
};

std::unique_ptr<Backend> make_epoll_backend(Loop& loop, Error& error);
std::unique_ptr<Backend> make_io_uring_backend(Loop& loop, Error& error);
std::unique_ptr<Backend> make_simulated_backend(Loop& loop);

}  // namespace refloop
