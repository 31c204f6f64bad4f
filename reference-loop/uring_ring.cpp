#include "reference-loop/uring_ring.h"

#include <cassert>
#include <cerrno>
#include <sys/mman.h>

#include "reference-loop/sys.h"

namespace refloop {
namespace {

constexpr unsigned kNoArrayOfSubmissions = 1u << 16;  // IORING_SETUP_NO_SQARRAY, newer than the header

constexpr unsigned kSetupFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                                 IORING_SETUP_R_DISABLED | kNoArrayOfSubmissions;
constexpr unsigned kFeatures =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;

void* map_queue(int fd, std::size_t bytes, std::uint64_t offset) {
  void* const memory = sys::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                                 static_cast<off_t>(offset));
  return memory == MAP_FAILED || !memory ? nullptr : memory;
}

template <typename T>
T* field_at(void* memory, unsigned offset) {
  return reinterpret_cast<T*>(static_cast<std::byte*>(memory) + offset);
}

}  // namespace

Result<void> UringRing::open(unsigned submissions, unsigned completions) {
  io_uring_params params{};
  params.flags = kSetupFlags;
  params.cq_entries = completions;
  descriptor_.reset(sys::uring_setup(submissions, &params));
  if (!descriptor_) return failure(last_error());
  if ((params.features & kFeatures) != kFeatures) return failure(error_from_errno(EINVAL));
  queues_bytes_ = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  queues_ = map_queue(fd(), queues_bytes_, IORING_OFF_SQ_RING);
  if (!queues_) return failure(last_error());
  submissions_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
  submissions_ = static_cast<io_uring_sqe*>(map_queue(fd(), submissions_bytes_, IORING_OFF_SQES));
  if (!submissions_) return failure(last_error());

  submission_tail_ = field_at<unsigned>(queues_, params.sq_off.tail);
  submission_flags_ = field_at<unsigned>(queues_, params.sq_off.flags);
  submission_entries_ = params.sq_entries;
  submission_mask_ = params.sq_entries - 1;
  completion_head_ = field_at<unsigned>(queues_, params.cq_off.head);
  completion_tail_ = field_at<unsigned>(queues_, params.cq_off.tail);
  completion_mask_ = params.cq_entries - 1;
  completions_ = field_at<io_uring_cqe>(queues_, params.cq_off.cqes);
  return {};
}

// Requests the kernel still has are cancelled by it; none of them refers to memory of a handle.
UringRing::~UringRing() {
  if (submissions_) sys::munmap(static_cast<void*>(submissions_), submissions_bytes_);
  if (queues_) sys::munmap(queues_, queues_bytes_);
}

// Made disabled, so that the thread that turns the loop becomes the owner, not the one that made it.
bool UringRing::enable() {
  enabled_ = enabled_ || sys::uring_register(fd(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0u) == 0;
  return enabled_;
}

// Not the way of every turn: the first time, or with a limit.
bool UringRing::enter_for(Nanos timeout) {
  if (!enabled_ && !enable()) return false;
  if (timeout <= Nanos{0}) return enter(timeout);
  const unsigned to_submit = publish();
  const __kernel_timespec limit{.tv_sec = timeout.count() / 1'000'000'000,
                                .tv_nsec = timeout.count() % 1'000'000'000};
  const io_uring_getevents_arg argument{
      .sigmask = 0, .sigmask_sz = _NSIG / 8, .pad = 0, .ts = reinterpret_cast<std::uint64_t>(&limit)};
  return note_entered(sys::uring_enter(fd(), to_submit, 1u, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                                       static_cast<const void*>(&argument), sizeof(argument)));
}

// It took only a part, or there was nothing to submit and waiting failed.
bool UringRing::note_partly_entered(int result) {
  // The others are bugs here, but a foreign thread (EEXIST) is a bug of the caller.
  assert((result >= 0 || errno == EINTR || errno == ETIME || errno == EAGAIN || errno == EBUSY ||
          errno == ENOMEM || errno == EEXIST) &&
         "io_uring_enter failed in a way that only a bug explains");
  if (result > 0) submitted_ += static_cast<unsigned>(result);
  return false;
}

}  // namespace refloop
