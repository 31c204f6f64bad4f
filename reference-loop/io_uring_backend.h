// The io_uring backend: the kernel is told once what to do for a stream, and does it until told otherwise.
//
// One system call per turn submits everything that the callbacks of the turn asked for and fetches the next
// batch of completions. Accepts and receives stay armed (multishot), receives fill a ring of buffers that all
// streams share, and sends travel with the next submission.
//
// A send never outlives the call that submits it: it is made with MSG_DONTWAIT, so that it has ended when the
// call returns; what did not fit then waits for the socket in the stream's own queue, as on epoll. So no
// request of the kernel refers to memory of a handle or of a caller, and closing needs to wait for none.
// Bytes of Stream::send() are copied into the loop's outbox until the submission; a send that succeeds
// completely is not even reported (CQE_SKIP_SUCCESS with MSG_WAITALL), so a message costs one completion.
//
// Everything that is not a plain socket (pipes, streams that pass descriptors) goes by readiness, like
// foreign descriptors: ReadinessBackend on one-shot polls, armed again behind every callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include "reference-loop/page_buffer.h"
#include "reference-loop/readiness_backend.h"
#include "reference-loop/slab.h"
#include "reference-loop/uring_buffers.h"
#include "reference-loop/uring_ring.h"

namespace refloop {

class IoUringBackend final : public ReadinessBackend {
 public:
  explicit IoUringBackend(Loop& loop) : ReadinessBackend(loop) {}
  ~IoUringBackend() override;
  Result<void> open();

  void poll(Nanos timeout) override;
  void flush_writes() override;
  void flush() override;
  Result<void> watch(FdWatch& watch, int fd, std::uint32_t events) override;
  void unwatch(FdWatch& watch) override;

  Result<void> read_start(Stream& stream) override;
  void write(Stream& stream) override;
  Result<std::size_t> try_write(Stream& stream, std::span<iovec> buffers) override;
  Result<std::size_t> send(Stream& stream, std::span<iovec> buffers) override;
  void settle(Stream& stream) override;
  Result<void> shutdown(Stream& stream) override;
  void close(Stream& stream) override;

  Result<void> listen(Listener& listener) override;
  void close(Listener& listener) override;

  bool start(FsRequest& request) override;
  bool cancel(FsRequest& request) override;

 private:
  // What a completion is of; travels in its user_data with the descriptor and a generation.
  enum class Operation : std::uint8_t { none, poll, accept, receive, send, file };
  // A descriptor as it was when something was asked of it. Closed and reused since: it finds nobody.
  struct Key {
    std::uint32_t fd = 0;
    std::uint32_t generation = 0;
  };
  // What arrived while the reader had stopped: at most what the buffers held until the kernel heard of it.
  struct Kept {
    std::deque<std::vector<std::byte>> chunks;
    bool has_end = false;
    Error end = Error::none;
  };
  // Who hears of a descriptor.
  struct Slot {
    Stream* stream = nullptr;
    Listener* listener = nullptr;
    FdWatch* watch = nullptr;
    std::unique_ptr<Kept> kept;
    std::uint32_t generation = 0;       // of stream or listener
    std::uint32_t poll_generation = 0;  // of watch
    std::uint32_t outbox_batch = 0;     // in which it has a send in the outbox, at `outbox_index`
    std::uint16_t outbox_index = 0;
    bool armed = false;       // the kernel has a receive or an accept
    bool cancelling = false;  // and was told to drop it
    bool poll_armed = false;
  };
  // A send of the next submission.
  struct Outgoing {
    Key key;
    unsigned position = 0;             // in the ring
    const std::byte* bytes = nullptr;  // in the outbox; nothing: the stream's own queue
    std::size_t size = 0;
    std::uint32_t requests = 0;  // of the stream's queue
    std::int32_t result = 0;
    bool is_reported = false;  // failed or fell short; else all of it was sent
  };

  // A request of LoopOptions::files = ring while the kernel has it.
  struct FileOperation {
    SlabId slab_id;
    FsRequest* request = nullptr;
    std::size_t done = 0;   // bytes written so far
    unsigned position = 0;  // in the ring
    bool is_canceled = false;
    struct statx status {};
  };

  static std::uint64_t tag(Operation operation, Key key);
  static Operation operation_of(const io_uring_cqe& completion);
  static Key key_of(const io_uring_cqe& completion);
  static Key key_of(int fd, std::uint32_t generation);
  Slot& slot_of(int fd);
  Slot* find_slot(Key key);
  Slot* find_watched(Key key);
  Slot& claim(Stream& stream);
  // What the ring does for a stream itself; everything else goes by readiness.
  static bool is_ours(const Stream& stream);

  // io_uring_backend.cpp: submitting, completing.
  io_uring_sqe* prepare();
  void submit();
  void submit_rest();
  void wait(Nanos timeout);
  void collect();
  // How many completions somebody heard of.
  std::size_t dispatch();
  bool dispatch_one(const io_uring_cqe& completion);
  void cancel(Operation operation, Key key);

  // io_uring_watch.cpp
  bool poll_completed(const io_uring_cqe& completion, bool last);
  void arm_poll(Key key, Slot& slot);

  // io_uring_stream.cpp
  void arm_receive(Key key, Slot& slot);
  bool receive_completed(const io_uring_cqe& completion);
  static bool wants_receive(const Slot& slot);
  bool hand_over(Key key, Slot& slot, std::int32_t result, Bytes bytes);
  void keep(Key key, Slot& slot, Bytes bytes, Error error);
  std::size_t deliver_kept();
  bool deliver_one_kept(Key key);
  void rearm_starved();

  // io_uring_listener.cpp
  void arm_accept(Key key, Slot& slot);
  bool accept_completed(const io_uring_cqe& completion);

  // io_uring_send.cpp
  bool append(Slot& slot, std::span<iovec> buffers, std::size_t size);
  void post(Stream& stream, Slot& slot, std::span<iovec> buffers, std::size_t size);
  std::byte* outbox_room(std::size_t size);
  void add_outgoing(io_uring_sqe& submission, Slot& slot, const Outgoing& outgoing);
  void queue_to_outgoing(Key key);
  void queue_to_outgoing();
  void finish_outgoing();
  void finish(const Outgoing& sent);
  void wait_until_writable(Stream& stream);
  void write_soon(Stream& stream);

  // io_uring_fs.cpp
  void submit_file(FileOperation& operation);
  bool file_completed(const io_uring_cqe& completion);
  static bool goes_on(FileOperation& operation, std::int32_t& result);

  UringRing ring_;
  UringBuffers buffers_;
  std::vector<Slot> slots_;                // by descriptor
  std::vector<io_uring_cqe> completions_;  // taken from the ring, not yet delivered
  std::vector<io_uring_cqe> last_;         // of this batch: of watches that run last
  std::vector<Key> starved_;               // found no buffer
  std::vector<Key> resumed_;               // read again, and something was kept for them
  std::vector<Key> writers_;               // have something to write that no submission holds yet

  PageBuffer outbox_;
  std::vector<Outgoing> outgoing_;
  std::uint32_t outbox_batch_ = 1;
  bool outgoing_need_care_ = false;  // some come from queues, failed or fell short

  Slab<FileOperation> file_operations_;
  std::vector<FileOperation*> new_file_operations_;  // can still be cancelled
};

// Why io_uring cannot be had here, and what to do about it, as a sentence; empty if it can.
std::string_view io_uring_refusal();

}  // namespace refloop
