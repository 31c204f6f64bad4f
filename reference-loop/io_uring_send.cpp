// Sending on io_uring: with the next submission, and ended when that returns.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/loop.h"
#include "reference-loop/stream.h"

namespace refloop {
namespace {

// Larger ones are not worth a copy: they are sent at once.
constexpr std::size_t kPostedBytesMax = 16 * 1024;
// Buffers of a stream's queue that one submission gathers.
constexpr std::size_t kGatheredBuffersMax = 64;
// All or a report; never later.
constexpr int kSendFlags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

bool is_for_later(std::int32_t result) {
  return result >= 0 || result == -EAGAIN || result == -ENOBUFS || result == -EINTR;
}

}  // namespace

// Most are of one piece, and the only one of their stream in the batch.
Result<void> IoUringBackend::send(Stream& stream, Bytes first, Bytes second) {
  const std::size_t size = first.size();
  const bool is_postable = size > 0 && size <= kPostedBytesMax && second.empty() && is_ours(stream);
  // Outside of run() nobody knows when the next submission will be.
  if (!is_postable || loop_.phase() == Phase::outside) [[unlikely]]
    return send_otherwise(stream, first, second);
  Slot& slot = claim(stream);
  if (slot.outbox_batch == outbox_batch_ || !has_room_for(size)) [[unlikely]]
    return send_otherwise(stream, first, second);
  std::memcpy(post(stream, slot, size), first.data(), size);
  return {};
}

// In two pieces, or behind what the stream sent before in this batch.
Result<void> IoUringBackend::send_otherwise(Stream& stream, Bytes first, Bytes second) {
  const std::size_t size = first.size() + second.size();
  if (size == 0 || size > kPostedBytesMax || !is_ours(stream) || loop_.phase() == Phase::outside)
    return stream.send_rest(first, second, stream.send_now(first, second));
  Slot& slot = claim(stream);
  std::byte* room = nullptr;
  if (slot.outbox_batch == outbox_batch_) {
    room = append(slot, size);
    if (!room) submit();
    if (stream.write_failed_) return failure(stream.write_error_);
    if (!stream.queue_.empty()) return stream.send_rest(first, second, failure(Error::again));
  }
  if (!room) {
    if (!has_room_for(size)) submit();
    room = post(stream, slot, size);
  }
  room = std::ranges::copy(first, room).out;
  std::ranges::copy(second, room);
  return {};
}

inline bool IoUringBackend::has_room_for(std::size_t size) const {
  return outbox_.size() + size <= outbox_.capacity() && ring_.has_room();
}

// Where its bytes go.
inline std::byte* IoUringBackend::post(const Stream& stream, Slot& slot, std::size_t size) {
  slot.outbox_batch = outbox_batch_;
  slot.outbox_offset = static_cast<std::uint32_t>(outbox_.size());
  slot.outbox_size = static_cast<std::uint16_t>(size);
  slot.outbox_index = ring_.next_index();
  io_uring_sqe* const submission = ring_.next_submission();
  std::byte* const bytes = outbox_room(size);
  io_uring_prep_send(submission, stream.fd(), bytes, size, kSendFlags);
  submission->flags = IOSQE_CQE_SKIP_SUCCESS;
  submission->user_data = Tag(Operation::send, key_of(stream.fd(), slot.generation)).user_data();
  return bytes;
}

// Two sends of one stream must not be two submissions: the second could succeed although the first fell
// short.
std::byte* IoUringBackend::append(Slot& slot, std::size_t size) {
  const bool is_last = slot.outbox_size > 0 && slot.outbox_offset + slot.outbox_size == outbox_.size();
  if (!is_last || slot.outbox_size + size > kPostedBytesMax || outbox_.size() + size > outbox_.capacity())
    return nullptr;
  slot.outbox_size = static_cast<std::uint16_t>(slot.outbox_size + size);
  ring_.submission_at(slot.outbox_index).len = slot.outbox_size;
  return outbox_room(size);
}

void IoUringBackend::settle(Stream& stream) {
  if (!is_ours(stream) || stream.fd() < 0) return;
  if (claim(stream).outbox_batch == outbox_batch_) submit();
}

// Now, and for whoever wants to know how much: a system call of its own, behind what was sent before.
Result<std::size_t> IoUringBackend::try_write(Stream& stream, std::span<iovec> buffers) {
  settle(stream);
  if (stream.write_failed_) return failure(stream.write_error_);
  if (!stream.queue_.empty()) return failure(Error::again);
  return ReadinessBackend::try_write(stream, buffers);
}

void IoUringBackend::write(Stream& stream) {
  if (!is_ours(stream)) return ReadinessBackend::write(stream);
  settle(stream);
  write_soon(stream);
}

// With the next submission; the pending phase makes one, so that what fits has been written by then.
void IoUringBackend::write_soon(Stream& stream) {
  if (stream.watch_.interest & EPOLLOUT) return;
  writers_.push_back(key_of(stream.fd(), claim(stream).generation));
  has_chores_ = true;
  loop_.defer(stream);
}

void IoUringBackend::queue_to_outgoing() {
  if (writers_.empty()) return;
  std::vector<Key> writers;
  writers.swap(writers_);
  for (const Key key : writers) queue_to_outgoing(key);
}

// The front of a stream's queue, as one submission.
void IoUringBackend::queue_to_outgoing(Key key) {
  Slot* const slot = find_slot(key);
  if (!slot || !slot->stream || slot->outbox_batch == outbox_batch_) return;
  Stream& stream = *slot->stream;
  if (stream.queue_.empty() || (stream.watch_.interest & EPOLLOUT)) return;
  constexpr std::size_t kRoom = sizeof(msghdr) + kGatheredBuffersMax * sizeof(iovec);
  if (outbox_.size() + kRoom + alignof(msghdr) > outbox_.capacity()) submit();
  io_uring_sqe* const submission = prepare();
  outbox_.set_size((outbox_.size() + alignof(msghdr) - 1) / alignof(msghdr) * alignof(msghdr));
  std::byte* const room = outbox_room(kRoom);
  auto* const message = new (room) msghdr{};
  auto* const buffers = reinterpret_cast<iovec*>(room + sizeof(msghdr));
  Outgoing outgoing{.key = key};
  for (WriteRequest& request : stream.queue_) {
    const std::span<iovec> unsent = request.unsent();
    if (message->msg_iovlen + unsent.size() > kGatheredBuffersMax) break;
    std::ranges::copy(unsent, buffers + message->msg_iovlen);
    message->msg_iovlen += unsent.size();
    outgoing.size += request.bytes_left();
    ++outgoing.requests;
  }
  message->msg_iov = buffers;
  io_uring_prep_sendmsg(submission, stream.fd(), message, kSendFlags);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  const auto index = static_cast<std::uint32_t>(outgoing_.size());
  submission->user_data = Tag(Operation::write, {.fd = index}).user_data();
  slot->outbox_batch = outbox_batch_;
  slot->outbox_size = 0;  // nothing can be appended
  outgoing_.push_back(outgoing);
}

// The kernel has taken the submissions. Sends are settled before anything else is looked at, so that no
// callback can send past them.
void IoUringBackend::settle_sends() {
  note_reports();
  while (ring_.has_overflowed()) {
    stash_completions();
    ring_.enter(Nanos{0});
    note_reports();
  }
  start_batch();
  if (!outgoing_.empty()) finish_outgoing();
}

// A send that failed or fell short. What it did not take is kept, because the outbox is about to be reused.
void IoUringBackend::note_report(io_uring_cqe& completion) {
  const Tag tag(completion);
  const Key key = tag.key();
  if (tag.operation() == Operation::write) {
    outgoing_[key.fd].result = completion.res;
    outgoing_[key.fd].is_reported = true;
  } else if (Slot* const slot = find_slot(key); slot && slot->stream) {
    const Bytes sent(outbox_.data() + slot->outbox_offset, slot->outbox_size);
    slot->stream->queue_rest(sent.subspan(static_cast<std::size_t>(std::max(completion.res, 0))));
    outgoing_.push_back({.key = key, .result = completion.res, .is_reported = true});
  }
  completion.user_data = Tag(Operation::none, key).user_data();
}

void IoUringBackend::finish_outgoing() {
  std::vector<Outgoing> ended;
  ended.swap(outgoing_);
  for (const Outgoing& sent : ended) finish(sent);
}

void IoUringBackend::finish(const Outgoing& sent) {
  Slot* const slot = find_slot(sent.key);
  if (!slot || !slot->stream) return;
  Stream& stream = *slot->stream;
  const bool failed = sent.is_reported && !is_for_later(sent.result);
  const std::size_t taken = sent.is_reported ? static_cast<std::size_t>(std::max(sent.result, 0)) : sent.size;
  if (!failed)  // of a failure nothing was taken, not even requests without a byte
    stream.taken_from_queue(taken, sent.requests);
  if (stream.queue_.empty()) return;
  if (failed)
    stream.front_written(error_from_errno(-sent.result));
  else if (sent.is_reported && sent.result != -EINTR)
    wait_until_writable(stream);
  else
    write_soon(stream);
}

void IoUringBackend::wait_until_writable(Stream& stream) {
  stream.watch_.on_ready = [](FdWatch& watch, std::uint32_t) {
    Stream& target = *static_cast<Stream::Watch&>(watch).stream;
    auto& backend = static_cast<IoUringBackend&>(*target.loop_.backend_);
    backend.unwatch(watch);
    if (!target.queue_.empty()) backend.write_soon(target);
  };
  if (auto watched = watch(stream.watch_, stream.fd(), EPOLLOUT); !watched)
    stream.front_written(watched.error());
}

}  // namespace refloop
