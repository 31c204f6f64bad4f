// One io_uring: the two queues shared with the kernel, and the calls that move them. It knows nothing of
// loops; liburing serves only for the layout of its structures and for preparing submissions.
//
// Completions appear only inside enter() (IORING_SETUP_DEFER_TASKRUN), so between two calls the queues hold
// still. The thread that first enters is the only one that ever may (IORING_SETUP_SINGLE_ISSUER): a loop may
// be made in one thread and run in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <liburing.h>

#include "reference-loop/error.h"
#include "reference-loop/socket.h"
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

  // The next submission, to be prepared at once; nothing if the queue is full: enter() first.
  io_uring_sqe* next_submission() {
    if (submitted_tail_ - *submission_head_ == submission_entries_) return nullptr;
    return &submissions_[submitted_tail_++ & submission_mask_];
  }
  unsigned unsubmitted() const { return submitted_tail_ - *submission_head_; }
  // Where next_submission() will be; one that is not yet submitted can still be changed there.
  unsigned position() const { return submitted_tail_; }
  bool is_unsubmitted(unsigned position) const { return position - *submission_head_ < unsubmitted(); }
  io_uring_sqe& submission_at(unsigned position) { return submissions_[position & submission_mask_]; }

  // Whether the kernel holds back completions until the next enter().
  bool has_deferred_work() const;
  // Submits everything prepared. `wait`: until there is a completion, for at most `timeout` if that is not
  // negative. False: the time is up, a signal came, or the kernel could not take everything now.
  bool enter(bool wait, Nanos timeout);

  unsigned completions_ready() const;
  template <typename Function>
  void take_completions(Function&& function) {
    unsigned head = *completion_head_;
    const unsigned tail = head + completions_ready();
    for (; head != tail; ++head) function(completions_[head & completion_mask_]);
    __atomic_store_n(completion_head_, head, __ATOMIC_RELEASE);
  }

 private:
  bool enable();

  Socket descriptor_;
  bool enabled_ = false;

  void* queues_ = nullptr;
  std::size_t queues_bytes_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  std::size_t submissions_bytes_ = 0;

  unsigned* submission_head_ = nullptr;
  unsigned* submission_tail_ = nullptr;
  unsigned* submission_flags_ = nullptr;
  unsigned submission_mask_ = 0;
  unsigned submission_entries_ = 0;
  unsigned submitted_tail_ = 0;  // ours: what is prepared, published by enter()

  unsigned* completion_head_ = nullptr;
  unsigned* completion_tail_ = nullptr;
  unsigned completion_mask_ = 0;
  io_uring_cqe* completions_ = nullptr;
};

}  // namespace refloop
