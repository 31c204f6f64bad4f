// One io_uring: the two queues shared with the kernel, and the calls that move them. It knows nothing of
// loops; liburing serves only for the layout of its structures and for preparing submissions.
//
// Completions appear only inside enter() (IORING_SETUP_DEFER_TASKRUN), so between two calls the queues hold
// still. The thread that first enters is the only one that ever may (IORING_SETUP_SINGLE_ISSUER): a loop may
// be made in one thread and run in another.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <liburing.h>

#include "reference-loop/error.h"
#include "reference-loop/socket.h"
#include "reference-loop/sys.h"
#include "reference-loop/time.h"

namespace refloop {

class UringRing {
 public:
  UringRing() = default;
  ~UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  // Both powers of two. What the kernel said: ENOSYS, EPERM (forbidden), EINVAL (too old), ENOMEM, EMFILE.
  Result<void> open(unsigned submissions, unsigned completions);
  bool is_open() const { return completions_ != nullptr; }
  int fd() const { return descriptor_.fd(); }

  // The next submission, to be prepared at once. Only if there is room: else enter() first.
  bool has_room() const { return unsubmitted() != submission_entries_; }
  io_uring_sqe* next_submission() { return &submissions_[prepared_++ & submission_mask_]; }
  unsigned unsubmitted() const { return prepared_ - submitted_; }
  // Where next_submission() will be; one that is not yet submitted can still be changed there.
  unsigned position() const { return prepared_; }
  std::uint16_t next_index() const { return static_cast<std::uint16_t>(prepared_ & submission_mask_); }
  bool is_unsubmitted(unsigned position) const { return position - submitted_ < unsubmitted(); }
  io_uring_sqe& submission_at(unsigned position) { return submissions_[position & submission_mask_]; }

  // Whether the kernel holds back completions until the next enter(); has_overflowed(): for want of room.
  bool has_deferred_work() const { return (flags() & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0; }
  bool has_overflowed() const { return (flags() & IORING_SQ_CQ_OVERFLOW) != 0; }

  // Submits everything prepared, and waits until there is a completion: for at most `timeout`, for ever if
  // that is negative, not at all if it is zero. False: the time is up, a signal came, or the kernel could not
  // take everything now.
  bool enter(Nanos timeout) {
    if (timeout > Nanos{0} || !enabled_) [[unlikely]]
      return enter_for(timeout);
    const unsigned to_submit = publish();
    return note_entered(sys::uring_enter(fd(), to_submit, timeout < Nanos{0} ? 1u : 0u,
                                         unsigned{IORING_ENTER_GETEVENTS}, static_cast<const void*>(nullptr),
                                         std::size_t{_NSIG / 8}));
  }

  // Completions, oldest first. The kernel learns with the next enter() which were taken: before that it needs
  // no room.
  unsigned completions_end() const { return __atomic_load_n(completion_tail_, __ATOMIC_ACQUIRE); }
  bool has_completion_before(unsigned end) const { return static_cast<int>(end - completions_taken_) > 0; }
  // Stays as it is until the next enter().
  const io_uring_cqe& take_completion() { return completions_[completions_taken_++ & completion_mask_]; }
  // Each that is there and was not visited yet; it may be changed.
  template <typename Visit>
  void visit_new_completions(Visit&& visit) {
    const unsigned end = completions_end();
    for (unsigned at = completions_visited_; at != end; ++at) visit(completions_[at & completion_mask_]);
    completions_visited_ = end;
  }

 private:
  bool enable();
  bool enter_for(Nanos timeout);
  unsigned flags() const { return __atomic_load_n(submission_flags_, __ATOMIC_RELAXED); }
  // What we prepared and took becomes visible; how much there is to submit.
  unsigned publish() {
    __atomic_store_n(completion_head_, completions_taken_, __ATOMIC_RELEASE);
    __atomic_store_n(submission_tail_, prepared_, __ATOMIC_RELEASE);
    return unsubmitted();
  }
  bool note_entered(int result) {
    if (result != static_cast<int>(unsubmitted())) [[unlikely]]
      return note_partly_entered(result);
    submitted_ = prepared_;
    return true;
  }
  bool note_partly_entered(int result);

  Socket descriptor_;
  bool enabled_ = false;

  void* queues_ = nullptr;
  std::size_t queues_bytes_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  std::size_t submissions_bytes_ = 0;

  unsigned* submission_tail_ = nullptr;
  unsigned* submission_flags_ = nullptr;
  unsigned submission_mask_ = 0;
  unsigned submission_entries_ = 0;
  unsigned prepared_ = 0;   // by us, published by enter()
  unsigned submitted_ = 0;  // taken by the kernel

  unsigned* completion_head_ = nullptr;
  unsigned* completion_tail_ = nullptr;
  unsigned completion_mask_ = 0;
  unsigned completions_taken_ = 0;    // ours, published by enter()
  unsigned completions_visited_ = 0;  // not behind those taken
  io_uring_cqe* completions_ = nullptr;
};

}  // namespace refloop
