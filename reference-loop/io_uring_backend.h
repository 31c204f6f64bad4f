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
// completely is not even reported (CQE_SKIP_SUCCESS), so a message costs one completion. Silence is enough:
// with MSG_WAITALL the kernel reports a send that took less than all, the report is there when the call
// returns, and until then nobody reuses the outbox.
//
// The way of a message is one function: poll() takes its completion, finds its stream by descriptor and
// generation and calls back; the callback's send() fills the submission of the next turn. Everything else
// (has_chores_) is asked for once per turn.
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
#include "reference-loop/stream.h"
#include "reference-loop/uring_buffers.h"
#include "reference-loop/uring_ring.h"
#include "reference-loop/uring_tag.h"

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
  Result<void> send(Stream& stream, Bytes first, Bytes second) override;
  void settle(Stream& stream) override;
  Result<void> shutdown(Stream& stream) override;
  void close(Stream& stream) override;

  Result<void> listen(Listener& listener) override;
  void close(Listener& listener) override;

  bool start(FsRequest& request) override;
  bool cancel(FsRequest& request) override;

 private:
  using Operation = UringOperation;
  using Key = UringKey;
  using Tag = UringTag;

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
    std::uint64_t outbox_batch = 0;          // in which it has a send
    std::uint32_t outbox_offset = 0;         // of its bytes in the outbox
    std::uint16_t outbox_size = 0;           // 0: of its stream's own queue
    std::uint16_t outbox_index = 0;          // of the submission in the ring
    std::uint32_t generation = 0;            // of stream or listener
    std::uint32_t poll_generation : 24 = 0;  // of watch
    bool poll_armed : 1 = false;
    bool armed : 1 = false;       // the kernel has a receive or an accept
    bool cancelling : 1 = false;  // and was told to drop it
  };
  static_assert(sizeof(Slot) <= 56, "every idle connection has one");
  // A send of the next submission that needs care when it has ended: of a stream's own queue, or reported.
  struct Outgoing {
    Key key;
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

  static Key key_of(int fd, std::uint32_t generation) { return {static_cast<std::uint32_t>(fd), generation}; }
  Slot& slot_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= slot_count_) [[unlikely]]
      add_slots(index);
    return slots_[index];
  }
  void add_slots(std::size_t index);
  Slot* find_slot(Key key) {
    Slot& slot = slots_[key.fd];
    return slot.generation == key.generation ? &slot : nullptr;
  }
  Slot* find_watched(Key key) {
    Slot& slot = slots_[key.fd];
    return slot.watch && slot.poll_generation == key.generation ? &slot : nullptr;
  }
  // The slot of what the ring does for a stream itself (is_ours); everything else goes by readiness.
  Slot& claim(Stream& stream) {
    Slot& slot = slot_of(stream.fd());
    slot.stream = &stream;
    return slot;
  }
  static bool is_ours(const Stream& stream) { return stream.transport_ == Transport::socket; }
  static bool is_taken(const Slot& slot, const FdWatch* by);

  // io_uring_backend.cpp: submitting, completing.
  io_uring_sqe* prepare() {
    while (!ring_.has_room()) [[unlikely]] submit();
    return ring_.next_submission();
  }
  void submit();
  void submit_rest();
  bool do_chores();
  void stash_completions();
  // Whether somebody heard of a completion, and of how many.
  inline bool turn(Nanos timeout);
  inline bool dispatch();
  bool dispatch_all();
  inline bool dispatch_one(const io_uring_cqe& completion);
  bool dispatch_other(io_uring_cqe completion);
  unsigned dispatch_last();
  void cancel(Tag target);
  void cancel_failed(const io_uring_cqe& completion);

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
  Result<void> send_otherwise(Stream& stream, Bytes first, Bytes second);
  inline bool has_room_for(std::size_t size) const;
  inline std::byte* post(const Stream& stream, Slot& slot, std::size_t size);
  std::byte* append(Slot& slot, std::size_t size);
  std::byte* outbox_room(std::size_t size) {
    std::byte* const room = outbox_.data() + outbox_.size();
    outbox_.set_size(outbox_.size() + size);
    return room;
  }
  void queue_to_outgoing(Key key);
  void queue_to_outgoing();
  void settle_sends();
  // Of sends that failed or fell short.
  void note_reports() {
    ring_.visit_new_completions([this](io_uring_cqe& completion) {
      if (Tag(completion).is_of_sending()) [[unlikely]]
        note_report(completion);
    });
  }
  void start_batch() {
    ++outbox_batch_;
    outbox_.set_size(0);
  }
  void note_report(io_uring_cqe& completion);
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
  std::vector<Slot> slots_;            // by descriptor
  std::size_t slot_count_ = 0;         // of slots_, whose size() divides
  std::vector<io_uring_cqe> stashed_;  // taken from the ring to make room: before those in it
  std::vector<io_uring_cqe> last_;     // of this batch: of watches that run last
  std::vector<Key> starved_;           // found no buffer
  std::vector<Key> resumed_;           // read again, and something was kept for them
  std::vector<Key> writers_;           // have something to write that no submission holds yet
  bool has_chores_ = false;            // there is something in one of them, or in new_file_operations_

  PageBuffer outbox_;
  std::vector<Outgoing> outgoing_;
  std::uint64_t outbox_batch_ = 1;

  Slab<FileOperation> file_operations_;
  std::vector<FileOperation*> new_file_operations_;  // can still be cancelled
};

// Why io_uring cannot be had here, and what to do about it, as a sentence; empty if it can.
std::string_view io_uring_refusal();

}  // namespace refloop
