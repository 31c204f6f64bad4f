#include "reference-loop/faults/ring_faults.h"

#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "reference-loop/faults/injector.h"

namespace refloop::faults {
namespace {

constexpr std::uint32_t kInjectResult = 1;  // IORING_NOP_INJECT_RESULT, newer than the header

struct Ring {
  io_uring_params parameters{};
  std::byte* queues = nullptr;
  io_uring_sqe* submissions = nullptr;
  unsigned seen = 0;                 // submissions looked at
  std::vector<int> closed_by_fault;  // once what was submitted before has been done

  unsigned tail() const {
    return __atomic_load_n(reinterpret_cast<unsigned*>(queues + parameters.sq_off.tail), __ATOMIC_ACQUIRE);
  }
};

std::mutex mutex;
std::map<int, Ring> rings;  // by descriptor

std::string_view name_of_operation(std::uint8_t opcode) {
  static const std::map<std::uint8_t, std::string_view> names = {
      {IORING_OP_ACCEPT, "IORING_OP_ACCEPT"},     {IORING_OP_ASYNC_CANCEL, "IORING_OP_ASYNC_CANCEL"},
      {IORING_OP_CLOSE, "IORING_OP_CLOSE"},       {IORING_OP_FSYNC, "IORING_OP_FSYNC"},
      {IORING_OP_LINKAT, "IORING_OP_LINKAT"},     {IORING_OP_MKDIRAT, "IORING_OP_MKDIRAT"},
      {IORING_OP_NOP, "IORING_OP_NOP"},           {IORING_OP_OPENAT, "IORING_OP_OPENAT"},
      {IORING_OP_POLL_ADD, "IORING_OP_POLL_ADD"}, {IORING_OP_READ, "IORING_OP_READ"},
      {IORING_OP_RECV, "IORING_OP_RECV"},         {IORING_OP_RENAMEAT, "IORING_OP_RENAMEAT"},
      {IORING_OP_SEND, "IORING_OP_SEND"},         {IORING_OP_SENDMSG, "IORING_OP_SENDMSG"},
      {IORING_OP_STATX, "IORING_OP_STATX"},       {IORING_OP_SYMLINKAT, "IORING_OP_SYMLINKAT"},
      {IORING_OP_UNLINKAT, "IORING_OP_UNLINKAT"}, {IORING_OP_WRITE, "IORING_OP_WRITE"},
  };
  const auto found = names.find(opcode);
  return found == names.end() ? "IORING_OP" : found->second;
}

// The kernel reports only a send that fell short of what was asked; this one is to be reported.
void shorten(io_uring_sqe& submission) {
  submission.flags &= static_cast<std::uint8_t>(~IOSQE_CQE_SKIP_SUCCESS);
  if (submission.opcode != IORING_OP_SENDMSG) {
    submission.len = std::min(submission.len, 1u);
    return;
  }
  auto& message =
      *reinterpret_cast<msghdr*>(submission.addr);  // NOLINT(performance-no-int-to-ptr): the kernel's
  if (message.msg_iovlen == 0) return;
  message.msg_iovlen = 1;
  message.msg_iov[0].iov_len = std::min<std::size_t>(message.msg_iov[0].iov_len, 1);
}

void fail(io_uring_sqe& submission, int error) {
  const std::uint64_t user_data = submission.user_data;
  const auto flags = static_cast<std::uint8_t>(submission.flags & ~IOSQE_BUFFER_SELECT);
  submission = {};
  submission.opcode = IORING_OP_NOP;
  submission.flags = flags;
  submission.user_data = user_data;
  submission.rw_flags = static_cast<int>(kInjectResult);
  submission.len = static_cast<std::uint32_t>(-error);
}

void strike_down(Ring& ring, io_uring_sqe& submission, const Strike& strike) {
  switch (strike.manner) {
    case Manner::is_short:
      return shorten(submission);
    case Manner::says_zero:
      return fail(submission, 0);
    case Manner::fails_late:
      if (submission.opcode == IORING_OP_CLOSE) ring.closed_by_fault.push_back(submission.fd);
      return fail(submission, strike.error);
    case Manner::fails:
      return fail(submission, strike.error);
  }
}

}  // namespace

void ring_made(int fd, const io_uring_params& parameters) {
  const std::lock_guard lock(mutex);
  rings[fd] = {};
  rings[fd].parameters = parameters;
}

void ring_mapped(int fd, std::uint64_t offset, void* memory) {
  const std::lock_guard lock(mutex);
  const auto ring = rings.find(fd);
  if (ring == rings.end() || memory == MAP_FAILED) return;
  if (offset == IORING_OFF_SQES)
    ring->second.submissions = static_cast<io_uring_sqe*>(memory);
  else if (offset == IORING_OFF_SQ_RING)
    ring->second.queues = static_cast<std::byte*>(memory);
}

void ring_entered(int fd) {
  const std::lock_guard lock(mutex);
  const auto found = rings.find(fd);
  if (found == rings.end() || !found->second.submissions) return;
  Ring& ring = found->second;
  for (const unsigned tail = ring.tail(); ring.seen != tail; ++ring.seen) {
    io_uring_sqe& submission = ring.submissions[ring.seen & (ring.parameters.sq_entries - 1)];
    Strike strike;
    if (!Injector::instance().strikes(name_of_operation(submission.opcode), -1, strike)) continue;
    strike_down(ring, submission, strike);
  }
}

void ring_left(int fd) {
  const std::lock_guard lock(mutex);
  const auto ring = rings.find(fd);
  if (ring == rings.end()) return;
  for (const int closed : ring->second.closed_by_fault) ::close(closed);
  ring->second.closed_by_fault.clear();
}

}  // namespace refloop::faults
