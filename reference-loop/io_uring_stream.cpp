// Receiving and accepting on io_uring: armed once, completed many times.
#include <algorithm>
#include <cerrno>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/limits.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/stream.h"

namespace refloop {

Result<void> IoUringBackend::read_start(Stream& stream) {
  if (!is_ours(stream)) return ReadinessBackend::read_start(stream);
  if (is_taken(slot_of(stream.fd()), &stream.watch_)) return failure(error_from_errno(EEXIST));
  Slot& slot = claim(stream);
  const Key key = key_of(stream.fd(), slot.generation);
  if (slot.kept) resumed_.push_back(key), has_chores_ = true;
  const bool has_end = slot.kept && slot.kept->has_end;
  if (!slot.armed && !has_end) arm_receive(key, slot);
  return {};
}

void IoUringBackend::arm_receive(Key key, Slot& slot) {
  slot.armed = true;
  io_uring_sqe* const submission = prepare();
  io_uring_prep_recv_multishot(submission, static_cast<int>(key.fd), nullptr, 0, 0);
  submission->flags |= IOSQE_BUFFER_SELECT;
  submission->buf_group = UringBuffers::kGroup;
  submission->user_data = Tag(Operation::receive, key).user_data();
}

bool IoUringBackend::receive_completed(const io_uring_cqe& completion) {
  const Key key = Tag(completion).key();
  const bool goes_on = completion.flags & IORING_CQE_F_MORE;
  const bool has_buffer = completion.flags & IORING_CQE_F_BUFFER;
  const unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
  const auto size = static_cast<std::size_t>(std::max(completion.res, 0));
  const Bytes bytes = has_buffer ? buffers_.take(buffer, size) : Bytes();
  Slot* slot = find_slot(key);
  bool heard = false;
  if (slot) {
    if (!goes_on) slot->armed = slot->cancelling = false;
    heard = hand_over(key, *slot, completion.res, bytes);
  } else if (goes_on) {
    cancel(Tag(Operation::receive, key));  // it was just running when it was cancelled
  }
  if (has_buffer) buffers_.give_back(buffer);
  slot = find_slot(key);
  if (slot && wants_receive(*slot) && completion.res != -ENOBUFS) arm_receive(key, *slot);
  return heard;
}

bool IoUringBackend::wants_receive(const Slot& slot) {
  return !slot.armed && slot.stream && slot.stream->reading_ && !(slot.kept && slot.kept->has_end);
}

// To the reader; if it has stopped, or has something to read first, to what is kept for it.
bool IoUringBackend::hand_over(Key key, Slot& slot, std::int32_t result, Bytes bytes) {
  switch (result) {
    case -ENOBUFS:
      starved_.push_back(key);  // armed again when this batch has given its buffers back
      has_chores_ = true;
      return false;
    case -ECANCELED:
    case -EINTR:
    case -EAGAIN:
      return false;
  }
  const Error error = result < 0 ? error_from_errno(-result) : Error::none;
  Stream& stream = *slot.stream;
  if (!stream.reading_ || slot.kept) {
    keep(key, slot, bytes, error);
    return false;
  }
  if (!bytes.empty())
    stream.received(bytes);
  else
    stream.ended(error);
  return true;
}

// A reader that has stopped costs what had arrived by now, and no more: the kernel stops receiving.
void IoUringBackend::keep(Key key, Slot& slot, Bytes bytes, Error error) {
  if (!slot.kept) slot.kept = std::make_unique<Kept>();
  auto& chunks = slot.kept->chunks;
  if (bytes.empty()) {
    slot.kept->has_end = true;
    slot.kept->end = error;
  } else if (!chunks.empty() && chunks.back().size() + bytes.size() <= kReadBufferBytes) {
    chunks.back().insert(chunks.back().end(), bytes.begin(), bytes.end());
  } else {
    chunks.emplace_back(bytes.begin(), bytes.end());
  }
  if (slot.stream->reading_ || !slot.armed || slot.cancelling) return;
  slot.cancelling = true;
  cancel(Tag(Operation::receive, key));
}

std::size_t IoUringBackend::deliver_kept() {
  std::vector<Key> resumed;
  resumed.swap(resumed_);
  std::size_t heard = 0;
  for (const Key key : resumed) {
    while (deliver_one_kept(key)) ++heard;
  }
  return heard;
}

bool IoUringBackend::deliver_one_kept(Key key) {
  Slot* const slot = find_slot(key);
  if (!slot || !slot->kept || !slot->stream->reading_) return false;
  Kept& kept = *slot->kept;
  Stream& stream = *slot->stream;
  if (kept.chunks.empty()) {
    const Error end = kept.end;
    slot->kept.reset();
    stream.ended(end);
    return true;
  }
  const std::vector<std::byte> chunk = std::move(kept.chunks.front());
  kept.chunks.pop_front();
  if (kept.chunks.empty() && !kept.has_end) slot->kept.reset();
  stream.received(chunk);
  return true;
}

void IoUringBackend::rearm_starved() {
  std::vector<Key> starved;
  starved.swap(starved_);
  for (const Key key : starved) {
    Slot* const slot = find_slot(key);
    if (slot && wants_receive(*slot)) arm_receive(key, *slot);
  }
}

Result<void> IoUringBackend::shutdown(Stream& stream) {
  if (is_ours(stream)) settle(stream);
  return ReadinessBackend::shutdown(stream);
}

// Writes that would fit have been written, as everybody expects of a write() that came before. The descriptor
// is closed behind them, and behind the end of the receive, which keeps the socket open until then.
void IoUringBackend::close(Stream& stream) {
  if (!is_ours(stream)) return ReadinessBackend::close(stream);
  const bool may_write = !stream.queue_.empty() && !stream.connecting_ && !stream.watch_.interest;
  if (may_write) submit();
  unwatch(stream.watch_);
  const int fd = stream.fd();
  if (static_cast<std::size_t>(fd) >= slots_.size() || slots_[static_cast<std::size_t>(fd)].stream != &stream)
    return;
  Slot& slot = slot_of(fd);
  const Key key = key_of(fd, slot.generation);
  const bool was_armed = slot.armed;
  const bool is_sending = slot.outbox_batch == outbox_batch_;
  slot.stream = nullptr;
  slot.kept.reset();
  slot.armed = slot.cancelling = false;
  slot.generation = Key::next_generation(slot.generation);
  if (!was_armed && !is_sending) return;
  if (was_armed) cancel(Tag(Operation::receive, key));
  io_uring_sqe* const submission = prepare();
  io_uring_prep_close(submission, stream.socket_.release());
  submission->flags |= IOSQE_CQE_SKIP_SUCCESS;
  submission->user_data = Tag(Operation::none, key).user_data();
}

}  // namespace refloop
