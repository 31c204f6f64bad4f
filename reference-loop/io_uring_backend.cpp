// One turn of io_uring: submitting what callbacks asked for, taking what has completed, delivering it.
#include "reference-loop/io_uring_backend.h"

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "reference-loop/loop.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

constexpr unsigned kSubmissions = 1024;
// Everything that one call can complete: a storm of accepts, and two for each submission.
constexpr unsigned kCompletions = 8 * 1024;
constexpr std::size_t kOutboxBytes = 256 * 1024;

}  // namespace

std::unique_ptr<Backend> make_io_uring_backend(Loop& loop, Error& error) {
  auto backend = std::make_unique<IoUringBackend>(loop);
  const auto opened = backend->open();
  if (opened) return backend;
  switch (static_cast<int>(opened.error())) {
    case ENOSYS:
    case EPERM:
    case EACCES:
    case EINVAL:
      error = Error::not_supported;
      break;
    default:
      error = opened.error();
  }
  return nullptr;
}

Result<void> IoUringBackend::open() {
  if (auto opened = ring_.open(kSubmissions, kCompletions); !opened) return opened;
  if (auto opened = buffers_.open(ring_); !opened) return opened;
  if (!outbox_.allocate(kOutboxBytes)) return failure(Error::no_memory);
  return {};
}

// Streams that were closed outside of run(): their descriptors are closed by the kernel. Connections accepted
// for listeners that were closed meanwhile: nobody else knows of their descriptors.
IoUringBackend::~IoUringBackend() {
  if (!ring_.is_open()) return;
  if (ring_.unsubmitted() > 0) ring_.enter(Nanos{0});
  stash_completions();
  for (const io_uring_cqe& completion : stashed_) {
    if (Tag(completion).operation() == Operation::accept) Socket{completion.res};
  }
}

std::string_view io_uring_refusal() {
  UringRing ring;
  UringBuffers buffers;
  auto opened = ring.open(4, 8);
  if (opened) opened = buffers.open(ring);
  if (opened) return "";
  switch (static_cast<int>(opened.error())) {
    case ENOSYS:
      return "this kernel has no io_uring: use Linux 6.12 or later, or backend=epoll";
    case EPERM:
    case EACCES:
      return "io_uring is forbidden here: set kernel.io_uring_disabled to 0, allow io_uring_setup in the "
             "container's seccomp profile, or use backend=epoll";
    case EINVAL:
      return "this kernel's io_uring is too old: use Linux 6.12 or later, or backend=epoll";
    default:
      return "io_uring has no memory or descriptors here: raise the limits of locked memory and open files, "
             "or "
             "use backend=epoll";
  }
}

void IoUringBackend::add_slots(std::size_t index) {
  slots_.resize(std::max(index + 1, slots_.size() * 2));
  slot_count_ = slots_.size();
}

void IoUringBackend::cancel(Tag target) {
  io_uring_sqe* const submission = prepare();
  io_uring_prep_cancel64(submission, target.user_data(), 0);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  submission->user_data = Tag::of_cancelling(target).user_data();
}

// It has ended, or is being tried this very moment and will not be found waiting before that is over.
void IoUringBackend::cancel_failed(const io_uring_cqe& completion) {
  if (completion.res == -EALREADY) cancel(Tag(completion).target());
}

// Gives the kernel everything prepared, without waiting. Afterwards every send has ended, and what it could
// not send is in its stream's queue.
void IoUringBackend::submit() {
  queue_to_outgoing();
  submit_rest();
  settle_sends();
}

// The kernel may take only a part, for want of memory.
void IoUringBackend::submit_rest() {
  while (ring_.unsubmitted() > 0) {
    [[maybe_unused]] const bool submitted = ring_.enter(Nanos{0});
    assert((submitted || errno != EEXIST) && "used in another thread than the one that turns the loop");
  }
  new_file_operations_.clear();
}

void IoUringBackend::flush_writes() {
  while (!writers_.empty()) submit();
}

void IoUringBackend::flush() {
  flush_writes();
  if (ring_.unsubmitted() > 0) submit();
}

// Most turns consist of one enter() and what it brings. A completion that nobody hears of is no reason to end
// a wait: the time that is left is waited for, too.
void IoUringBackend::poll(Nanos timeout) {
  const Nanos begun = loop_.now();
  Nanos left = timeout;
  while (!turn(left) && left != Nanos{0}) {
    if (timeout > Nanos{0}) left = std::max(begun + timeout - loop_.now(), Nanos{0});
    if (left == Nanos{0} && ring_.unsubmitted() == 0) return;
  }
}

// Whether somebody heard of something.
inline bool IoUringBackend::turn(Nanos timeout) {
  const bool has_chores = has_chores_;
  if (has_chores && do_chores()) [[unlikely]]
    timeout = Nanos{0};
  if (timeout != Nanos{0} || ring_.unsubmitted() > 0 || ring_.has_deferred_work()) [[likely]] {
    const bool entered = ring_.enter(timeout);
    if (!entered || has_chores) [[unlikely]]
      submit_rest();
    note_reports();
    if (ring_.has_overflowed() || !outgoing_.empty()) [[unlikely]]
      settle_sends();
    else
      start_batch();
  }
  loop_.update_time();
  if (has_chores || has_chores_) [[unlikely]]
    return dispatch_all();
  return dispatch();
}

// What not every turn has. True: there is something to deliver, so that nothing is waited for.
bool IoUringBackend::do_chores() {
  has_chores_ = false;
  queue_to_outgoing();
  rearm_starved();
  return !stashed_.empty() || !resumed_.empty();
}

// Out of the ring, so that the kernel has room.
void IoUringBackend::stash_completions() {
  for (const unsigned end = ring_.completions_end(); ring_.has_completion_before(end);)
    stashed_.push_back(ring_.take_completion());
  has_chores_ = true;
}

// The batch is what has completed by now; what callbacks cause waits for the next one.
inline bool IoUringBackend::dispatch() {
  unsigned heard = 0;
  for (const unsigned end = ring_.completions_end(); ring_.has_completion_before(end);)
    heard += dispatch_one(ring_.take_completion());
  if (!last_.empty()) [[unlikely]]
    heard += dispatch_last();
  return heard > 0;
}

// As nearly every time: bytes, for a stream that reads, and the receive goes on.
inline bool IoUringBackend::dispatch_one(const io_uring_cqe& completion) {
  const Tag tag(completion);
  if (!tag.is_of_receiving()) return dispatch_other(completion);
  constexpr unsigned kUsual = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
  const Slot* const slot = find_slot(tag.key());
  const bool is_usual = slot && (completion.flags & kUsual) == kUsual && completion.res > 0 && !slot->kept &&
                        slot->stream->reading_;
  if (!is_usual) [[unlikely]]
    return dispatch_other(completion);
  const unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
  slot->stream->received(buffers_.take(buffer, static_cast<unsigned>(completion.res)));
  buffers_.give_back(buffer);
  return true;
}

// Of a copy: a callback may enter(), and the ring hold other completions then.
bool IoUringBackend::dispatch_other(io_uring_cqe completion) {
  switch (Tag(completion).operation()) {
    case Operation::receive:
      return receive_completed(completion);
    case Operation::poll:
      return poll_completed(completion, false);
    case Operation::accept:
      return accept_completed(completion);
    case Operation::file:
      return file_completed(completion);
    case Operation::cancel:
      cancel_failed(completion);
      return false;
    default:
      return false;
  }
}

// Oldest first: what a stream kept, what was in the ring when it overflowed, what is there now.
bool IoUringBackend::dispatch_all() {
  std::size_t heard = deliver_kept();
  std::vector<io_uring_cqe> batch;
  batch.swap(stashed_);
  for (const io_uring_cqe& completion : batch) heard += dispatch_other(completion);
  if (stashed_.empty()) heard += dispatch();
  return heard > 0;
}

unsigned IoUringBackend::dispatch_last() {
  unsigned heard = 0;
  for (const io_uring_cqe& completion : last_) heard += poll_completed(completion, true);
  last_.clear();
  return heard;
}

}  // namespace refloop
