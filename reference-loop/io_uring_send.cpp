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

std::size_t size_of(std::span<const iovec> buffers) {
  std::size_t size = 0;
  for (const iovec& buffer : buffers) size += buffer.iov_len;
  return size;
}

void gather(std::span<const iovec> buffers, std::byte* to) {
  for (const iovec& buffer : buffers) {
    std::memcpy(to, buffer.iov_base, buffer.iov_len);
    to += buffer.iov_len;
  }
}

}  // namespace

// Outside of run() nobody knows when the next submission will be.
Result<std::size_t> IoUringBackend::send(Stream& stream, std::span<iovec> buffers) {
  const std::size_t size = size_of(buffers);
  if (!is_ours(stream) || loop_.phase() == Phase::outside || size > kPostedBytesMax)
    return try_write(stream, buffers);
  Slot& slot = claim(stream);
  if (slot.outbox_batch == outbox_batch_) {
    if (append(slot, buffers, size)) return size;
    submit();
    if (stream.write_failed_) return failure(stream.write_error_);
    if (!stream.queue_.empty()) return failure(Error::again);
  }
  post(stream, slot, buffers, size);
  return size;
}

// Two sends of one stream must not be two submissions: the second could succeed although the first fell
// short.
bool IoUringBackend::append(Slot& slot, std::span<iovec> buffers, std::size_t size) {
  Outgoing& outgoing = outgoing_[slot.outbox_index];
  std::byte* const end = outbox_.data() + outbox_.size();
  const bool is_last = outgoing.bytes && outgoing.bytes + outgoing.size == end;
  if (!is_last || outgoing.size + size > kPostedBytesMax || outbox_.size() + size > outbox_.capacity())
    return false;
  gather(buffers, end);
  outbox_.set_size(outbox_.size() + size);
  outgoing.size += static_cast<std::uint32_t>(size);
  ring_.submission_at(outgoing.position).len = outgoing.size;
  return true;
}

void IoUringBackend::post(Stream& stream, Slot& slot, std::span<iovec> buffers, std::size_t size) {
  if (outbox_.size() + size > outbox_.capacity()) submit();
  io_uring_sqe* const submission = prepare();  // may submit, too, and so empty the outbox
  std::byte* const bytes = outbox_room(size);
  gather(buffers, bytes);
  io_uring_prep_send(submission, stream.fd(), bytes, size, kSendFlags);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  add_outgoing(*submission, slot,
               {.key = key_of(stream.fd(), slot.generation),
                .position = ring_.position() - 1,
                .bytes = bytes,
                .size = static_cast<std::uint32_t>(size)});
}

std::byte* IoUringBackend::outbox_room(std::size_t size) {
  std::byte* const room = outbox_.data() + outbox_.size();
  outbox_.set_size(outbox_.size() + size);
  return room;
}

void IoUringBackend::add_outgoing(io_uring_sqe& submission, Slot& slot, const Outgoing& outgoing) {
  slot.outbox_batch = outbox_batch_;
  slot.outbox_index = static_cast<std::uint16_t>(outgoing_.size());
  submission.user_data = tag(Operation::send, {.fd = slot.outbox_index, .generation = 0});
  outgoing_.push_back(outgoing);
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
  std::uint32_t requests = 0;
  std::size_t size = 0;
  for (WriteRequest& request : stream.queue_) {
    const std::span<iovec> unsent = request.unsent();
    if (message->msg_iovlen + unsent.size() > kGatheredBuffersMax) break;
    std::ranges::copy(unsent, buffers + message->msg_iovlen);
    message->msg_iovlen += unsent.size();
    size += request.bytes_left();
    ++requests;
  }
  message->msg_iov = buffers;
  io_uring_prep_sendmsg(submission, stream.fd(), message, kSendFlags);
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  add_outgoing(*submission, *slot, {.key = key, .size = size, .requests = requests});
  outgoing_need_care_ = true;
}

// Called when the kernel has taken the submissions, and the reports are in.
void IoUringBackend::finish_outgoing() {
  if (outgoing_.empty()) return;
  ++outbox_batch_;
  if (outgoing_need_care_) {
    std::vector<Outgoing> ended;
    ended.swap(outgoing_);
    outgoing_need_care_ = false;
    for (const Outgoing& sent : ended) finish(sent);
  }
  outgoing_.clear();
  outbox_.set_size(0);
}

void IoUringBackend::finish(const Outgoing& sent) {
  if (sent.bytes && !sent.is_reported) return;
  Slot* const slot = find_slot(sent.key);
  if (!slot || !slot->stream) return;
  Stream& stream = *slot->stream;
  const bool failed = sent.is_reported && !is_for_later(sent.result);
  const std::size_t taken = sent.is_reported ? static_cast<std::size_t>(std::max(sent.result, 0)) : sent.size;
  if (sent.bytes)
    stream.queue_rest(Bytes(sent.bytes + taken, sent.size - taken));
  else if (!failed)  // of a failure nothing was taken, not even requests without a byte
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
