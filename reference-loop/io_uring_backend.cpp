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
constexpr std::uint32_t kGenerationMask = 0xffffff;

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
  if (ring_.unsubmitted() > 0) ring_.enter(false, Nanos{0});
  const auto drop = [](const io_uring_cqe& completion) {
    if (operation_of(completion) == Operation::accept) Socket{completion.res};
  };
  std::ranges::for_each(completions_, drop);
  ring_.take_completions(drop);
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

std::uint64_t IoUringBackend::tag(Operation operation, Key key) {
  return std::uint64_t{static_cast<std::uint8_t>(operation)} << 56 |
         std::uint64_t{key.generation & kGenerationMask} << 32 | key.fd;
}

IoUringBackend::Operation IoUringBackend::operation_of(const io_uring_cqe& completion) {
  return static_cast<Operation>(completion.user_data >> 56);
}

IoUringBackend::Key IoUringBackend::key_of(const io_uring_cqe& completion) {
  return {.fd = static_cast<std::uint32_t>(completion.user_data),
          .generation = static_cast<std::uint32_t>(completion.user_data >> 32) & kGenerationMask};
}

IoUringBackend::Key IoUringBackend::key_of(int fd, std::uint32_t generation) {
  return {.fd = static_cast<std::uint32_t>(fd), .generation = generation & kGenerationMask};
}

IoUringBackend::Slot& IoUringBackend::slot_of(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  return slots_[index];
}

IoUringBackend::Slot* IoUringBackend::find_slot(Key key) {
  Slot& slot = slots_[key.fd];
  return (slot.generation & kGenerationMask) == key.generation ? &slot : nullptr;
}

IoUringBackend::Slot* IoUringBackend::find_watched(Key key) {
  Slot& slot = slots_[key.fd];
  return slot.watch && (slot.poll_generation & kGenerationMask) == key.generation ? &slot : nullptr;
}

// Room for one submission, made by submitting if need be.
io_uring_sqe* IoUringBackend::prepare() {
  io_uring_sqe* submission = ring_.next_submission();
  while (!submission) [[unlikely]] {
      submit();
      submission = ring_.next_submission();
    }
  return submission;
}

void IoUringBackend::cancel(Operation operation, Key key) {
  io_uring_sqe* const submission = prepare();
  io_uring_prep_cancel64(submission, tag(operation, key), 0);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  submission->user_data = tag(Operation::none, key);
}

// Gives the kernel everything prepared, without waiting. Afterwards every send has ended, and what it could
// not send is in its stream's queue.
void IoUringBackend::submit() {
  queue_to_outgoing();
  submit_rest();
  collect();
  finish_outgoing();
}

// The kernel may take only a part, for want of memory.
void IoUringBackend::submit_rest() {
  while (ring_.unsubmitted() > 0) {
    [[maybe_unused]] const bool submitted = ring_.enter(false, Nanos{0});
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

// Sends are settled before anything else is looked at, so that no callback can send past them.
void IoUringBackend::collect() {
  ring_.take_completions([this](const io_uring_cqe& completion) {
    if (operation_of(completion) != Operation::send) {
      completions_.push_back(completion);
      return;
    }
    Outgoing& sent = outgoing_[static_cast<std::uint32_t>(completion.user_data)];
    sent.result = completion.res;
    sent.is_reported = true;
    outgoing_need_care_ = true;
  });
}

// A completion that nobody hears of is no reason to end a wait: the time that is left is waited for, too.
void IoUringBackend::poll(Nanos timeout) {
  const Nanos deadline = timeout > Nanos{0} ? loop_.now() + timeout : loop_.now();
  while (true) {
    wait(completions_.empty() && resumed_.empty() ? timeout : Nanos{0});
    loop_.update_time();
    if (deliver_kept() + dispatch() > 0 || timeout == Nanos{0}) return;
    if (timeout > Nanos{0}) timeout = std::max(deadline - loop_.now(), Nanos{0});
    if (timeout == Nanos{0} && ring_.unsubmitted() == 0) return;
  }
}

// The one system call of a turn; none, if nothing is to be submitted, and nothing waited for.
void IoUringBackend::wait(Nanos timeout) {
  queue_to_outgoing();
  rearm_starved();
  const bool may_wait = timeout != Nanos{0} && ring_.completions_ready() == 0;
  if (!may_wait && ring_.unsubmitted() == 0 && !ring_.has_deferred_work()) return;
  ring_.enter(may_wait, timeout);
  submit_rest();
  collect();
  finish_outgoing();
}

// The batch is what has completed by now; what callbacks cause waits for the next one. How many were heard.
std::size_t IoUringBackend::dispatch() {
  const std::size_t batch = completions_.size();
  std::size_t heard = 0;
  for (std::size_t i = 0; i < batch; ++i) {
    const io_uring_cqe completion = completions_[i];  // callbacks may submit, and so add to them
    heard += dispatch_one(completion);
  }
  completions_.erase(completions_.begin(), completions_.begin() + static_cast<std::ptrdiff_t>(batch));
  for (const io_uring_cqe& completion : last_) heard += poll_completed(completion, true);
  last_.clear();
  return heard;
}

bool IoUringBackend::dispatch_one(const io_uring_cqe& completion) {
  switch (operation_of(completion)) {
    case Operation::receive:
      return receive_completed(completion);
    case Operation::poll:
      return poll_completed(completion, false);
    case Operation::accept:
      return accept_completed(completion);
    case Operation::file:
      return file_completed(completion);
    default:
      return false;
  }
}

}  // namespace refloop
