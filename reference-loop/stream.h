// A connected byte stream: connect or adopt, read, write, shut down, close. Tcp (tcp.h) adds what only TCP
// has; which kind of socket connect() makes follows from the address.
//
// What is guaranteed: bytes leave in the order of the calls, whichever of write(), send() and try_write()
// made them; write callbacks run in that order, in the pending phase, never inside the call; all data is
// delivered before the one on_end; after read_stop() or close() no read callback runs; close() ends
// outstanding requests before its own callback.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/uio.h>

#include "reference-loop/address.h"
#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/limits.h"
#include "reference-loop/loop.h"
#include "reference-loop/socket.h"

namespace refloop {

// What a stream's descriptor is, and with that the system calls that move its bytes (stream_io.h).
enum class Transport : std::uint8_t {
  socket,   // recv(), send(), shutdown()
  passing,  // a unix socket on which descriptors travel with the bytes: recvmsg(), sendmsg()
  plain,    // a pipe, FIFO or character device: read(), write(); ended by closing it
};

// One write; the caller's memory, like the bytes it points at, until its callback ran. Embed or derive.
class WriteRequest : private ListHook<> {
 public:
  using Callback = void (*)(WriteRequest&, Error);  // none, canceled, or what the kernel said

  WriteRequest() = default;
  void set_label(Label label) { tag_.label = label; }
  Stream* stream() const { return stream_; }  // valid inside the callback

  void* data = nullptr;  // the caller's

 protected:
  ~WriteRequest() = default;

 private:
  friend class IoUringBackend;
  friend class Pipe;
  friend class ReadinessBackend;
  friend class SimulatedEnd;
  friend class Stream;
  friend class StreamIo;
  friend class IntrusiveList<WriteRequest>;

  std::size_t bytes_left() const;
  void consume(std::size_t bytes);
  std::span<iovec> unsent() {
    return std::span(buffers_).subspan(next_buffer_, buffer_count_ - next_buffer_);
  }

  Callback done_ = nullptr;
  Stream* stream_ = nullptr;
  std::array<iovec, kWriteBuffersMax> buffers_{};
  std::uint8_t buffer_count_ = 0;
  std::uint8_t next_buffer_ = 0;
  bool owned_by_stream_ = false;  // of send(): no callback, freed when sent
  Socket descriptor_;             // travels with the first byte (Pipe)
  Error error_ = Error::none;
  TraceTag tag_;
};

// A write with nothing added to it.
class PlainWrite : public WriteRequest {};

class Stream : public Handle, private Deferred {
 public:
  using ReadCallback = void (*)(Stream&, Bytes bytes);  // bytes: the loop's buffer, until it returns
  using EndCallback = void (*)(Stream&, Error error);   // Error::none: the peer finished in order
  using ConnectCallback = void (*)(Stream&, Error error);
  using ShutdownCallback = void (*)(Stream&, Error error);
  using DrainCallback = void (*)(Stream&);

  explicit Stream(Loop& loop) : Handle(loop, Kind::read) {}
  ~Stream() override { assert(!socket_ && "a stream with a peer must be closed before it is destroyed"); }

  // Becomes the connected stream on `socket`, which is made non-blocking.
  Result<void> adopt(Socket socket);
  // Starts connecting; `callback` gets the outcome. Writes may be queued at once, and are cancelled
  // after the callback should it fail.
  Result<void> connect(const Address& peer, ConnectCallback callback);

  // Delivers data until read_stop(), then `on_end` once, at the end of the stream or its failure.
  // May be called again after read_stop(), with other callbacks. Error::not_connected before.
  Result<void> read_start(ReadCallback on_read, EndCallback on_end);
  void read_stop();

  // Sends now what can be sent and queues the rest; `callback` reports all of it, later. At most
  // kWriteBuffersMax buffers, which stay as they are until then.
  Result<void> write(WriteRequest& request, std::span<const Bytes> buffers, WriteRequest::Callback callback);
  Result<void> write(WriteRequest& request, Bytes bytes, WriteRequest::Callback callback) {
    return write(request, std::span(&bytes, 1), callback);
  }
  // Fire and forget: both buffers are the caller's again when it returns; what the kernel did not take
  // was copied. No callback; if the copy cannot be sent, on_end says why, after all data. Watch
  // queued_bytes().
  Result<void> send(Bytes first, Bytes second = {});
  // Sends what fits now and says how much. Error::again: nothing fits, or it would overtake queued bytes.
  Result<std::size_t> try_write(Bytes bytes);
  // Given to send() and write(), not yet taken by the kernel. (A backend that sends in batches holds at most
  // 16 KiB more, until it next waits.)
  std::size_t queued_bytes() const { return queued_bytes_; }
  // Whether the kernel has taken everything, so that close() loses nothing. Makes a batch leave at once: ask
  // where the answer matters.
  bool is_flushed();
  // Called, in the pending phase, whenever queued_bytes() has come back to zero.
  void set_on_drain(DrainCallback callback) { on_drain_ = callback; }

  // Sends FIN after everything queued; `callback` runs after the write callbacks. Error::broken_pipe
  // the second time.
  Result<void> shutdown(ShutdownCallback callback);

  // -1 unless connected or connecting.
  int fd() const { return socket_.fd(); }

 protected:
  void begin_close() override;
  // connect() with a socket that was prepared for it.
  Result<void> connect_socket(Socket socket, const Address& peer, ConnectCallback callback);
  bool is_shutting_down() const { return shutdown_requested_; }

 private:
  friend class IoUringBackend;
  friend class Pipe;
  friend class ReadinessBackend;
  friend class SimulatedBackend;
  friend class SimulatedEnd;
  friend class StreamIo;

  struct Watch : FdWatch {
    Stream* stream = nullptr;
  };
  struct OwnedWrite;

  void finish_close() override;
  void deliver_pending() override;

  // What the backend reports, in the poll phase.
  void received(Bytes bytes);
  void ended(Error error);
  void connected(Error error);
  // The front request was sent, or the stream failed: then all of the queue failed.
  void front_written(Error error);

  bool is_writable() const { return socket_ && !connecting_ && !shutdown_sent_; }
  Error write_refusal() const;
  void enqueue(WriteRequest& request);
  // For backends: an attempt at a send(), and what becomes of it.
  Result<std::size_t> send_now(Bytes first, Bytes second);
  Result<void> send_rest(Bytes first, Bytes second, Result<std::size_t> taken);
  // What a backend reports of sends that it made later: the rest of one, and how much of the queue has left,
  // of which `requests` were given to the kernel.
  void queue_rest(Bytes rest);
  void taken_from_queue(std::size_t bytes, std::size_t requests);
  void deliver_writes();
  void deliver_drain();
  void deliver_connect(Error error);
  void deliver_shutdown();
  void fail_queue(Error error);
  void fail_writing(WriteRequest& first, Error error);
  void update_activity();

  // What every message touches comes first: at thousands of connections each cache line is a miss.
  Watch watch_;
  ReadCallback on_read_ = nullptr;
  IntrusiveList<WriteRequest> queue_;  // not fully sent, in order
  Socket socket_;
  Transport transport_ = Transport::socket;
  bool connecting_ = false;
  bool connect_decided_ = false;  // without the kernel: delivered in the pending phase
  bool reading_ = false;
  bool end_delivered_ = false;
  bool shutdown_requested_ = false;
  bool shutdown_sent_ = false;
  bool drain_due_ = false;
  bool write_failed_ = false;  // bytes are missing in what was sent: none may follow
  bool send_failed_ = false;   // the same, and no callback says so but on_end

  EndCallback on_end_ = nullptr;
  ConnectCallback on_connect_ = nullptr;
  ShutdownCallback on_shutdown_ = nullptr;
  DrainCallback on_drain_ = nullptr;
  IntrusiveList<WriteRequest> sent_;  // callback outstanding, in order
  std::size_t queued_bytes_ = 0;
  TraceTag connect_tag_;
  TraceTag shutdown_tag_;
  Error connect_error_ = Error::none;
  Error write_error_ = Error::none;
};

}  // namespace refloop
