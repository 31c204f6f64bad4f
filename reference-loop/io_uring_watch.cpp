// Readiness of descriptors on io_uring: one-shot polls, armed again behind every callback.
//
// A poll that is submitted for a descriptor which is ready completes at once, in the same call that waits for
// the batch: that is level-triggered, once per batch, and costs no system call. Edge-triggered is a
// multishot.
#include <cassert>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/stream.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// As epoll sees it: what is always ready cannot be waited for.
Result<void> check_pollable(int fd) {
  struct ::stat status;
  if (sys::fstat(fd, &status) != 0) return failure(last_error());
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return failure(error_from_errno(EPERM));
  return {};
}

bool is_failure_to_wait(std::int32_t result) {
  return result == -EAGAIN || result == -ECANCELED || result == -EINTR || result == -ENOMEM;
}

}  // namespace

// Whether somebody else hears of the descriptor: a stream or listener, or a watch that is not `by`.
bool IoUringBackend::is_taken(const Slot& slot, const FdWatch* by) {
  if (slot.watch && slot.watch != by) return true;
  if (slot.listener) return true;
  const bool is_read = slot.armed || (slot.stream && slot.stream->reading_);
  return is_read && !(by && slot.stream && by == &slot.stream->watch_);
}

Result<void> IoUringBackend::watch(FdWatch& watch, int fd, std::uint32_t events) {
  assert(events != 0 && "unwatch() instead");
  if (fd < 0) return failure(error_from_errno(EBADF));
  if (watch.fd >= 0 && watch.interest == events) return {};
  Slot* slot = &slot_of(fd);
  if (watch.fd < 0) {
    if (is_taken(*slot, &watch)) return failure(error_from_errno(EEXIST));
    if (auto pollable = slot->stream && &slot->stream->watch_ == &watch ? Result<void>() : check_pollable(fd);
        !pollable)
      return pollable;
  } else {
    unwatch(watch);
  }
  slot->watch = &watch;
  watch.fd = fd;
  watch.interest = events;
  arm_poll(key_of(fd, slot->poll_generation), *slot);
  return {};
}

void IoUringBackend::unwatch(FdWatch& watch) {
  if (watch.fd < 0) return;
  Slot& slot = slot_of(watch.fd);
  const Key key = key_of(watch.fd, slot.poll_generation);
  const bool was_armed = slot.poll_armed;
  slot.watch = nullptr;
  slot.poll_armed = false;
  slot.poll_generation = Key::next_generation(slot.poll_generation);
  watch.fd = -1;
  watch.interest = 0;
  if (was_armed) cancel(Tag(Operation::poll, key));
}

void IoUringBackend::arm_poll(Key key, Slot& slot) {
  slot.poll_armed = true;
  const std::uint32_t interest = slot.watch->interest;
  io_uring_sqe* const submission = prepare();
  io_uring_prep_poll_add(submission, static_cast<int>(key.fd), interest & ~std::uint32_t{EPOLLET});
  if (interest & EPOLLET) submission->len = IORING_POLL_ADD_MULTI;
  submission->user_data = Tag(Operation::poll, key).user_data();
}

bool IoUringBackend::poll_completed(const io_uring_cqe& completion, bool last) {
  const Key key = Tag(completion).key();
  Slot* slot = find_watched(key);
  if (!slot) return false;
  FdWatch& watch = *slot->watch;
  if (watch.runs_last && !last) {
    last_.push_back(completion);
    return false;
  }
  if (!(completion.flags & IORING_CQE_F_MORE)) slot->poll_armed = false;
  // Says nothing of the descriptor: one that is connecting would pass for connected.
  if (is_failure_to_wait(completion.res)) {
    if (!slot->poll_armed) arm_poll(key, *slot);
    return true;  // the other phases get their turn, should it last
  }
  watch.on_ready(watch, completion.res < 0 ? EPOLLERR : static_cast<std::uint32_t>(completion.res));
  slot = find_watched(key);
  if (slot && !slot->poll_armed) arm_poll(key, *slot);
  return true;
}

}  // namespace refloop
