// One end of a connection in memory: what it receives, what it sends.
#include <algorithm>
#include <cstring>

#include "reference-loop/limits.h"
#include "reference-loop/loop.h"
#include "reference-loop/simulated_network.h"
#include "reference-loop/simulation.h"
#include "reference-loop/stream.h"

namespace refloop {

void SimulatedEnd::attend() {
  if (discards_) return attend_reading();
  if (closed_ || !stream_) return;
  Nanos time = std::min(connected_time_, writable_time_);
  if (stream_->reading_ && !incoming_.empty()) time = std::min(time, incoming_.front().time);
  if (time != Nanos::max()) network_.simulation_.agenda_.schedule(*this, time);
}

void SimulatedEnd::attend_reading() {
  if (!closed_ && !incoming_.empty()) network_.simulation_.agenda_.schedule(*this, incoming_.front().time);
}

// As of a ready descriptor: the outcome of a connect alone, or one read and then the writes.
void SimulatedEnd::happen() {
  if (discards_) return discard();
  const Nanos now = network_.simulation_.now();
  if (connected_time_ <= now) {
    connected_time_ = Nanos::max();
    stream_->connected(connect_error_);
    return attend();
  }
  if (stream_->reading_ && !incoming_.empty() && incoming_.front().time <= now) receive();
  if (!closed_ && writable_time_ <= now) write_queue();
  attend();
}

void SimulatedEnd::arrive(What what, std::size_t size) {
  const Nanos earliest = incoming_.empty() ? Nanos{0} : incoming_.back().time;
  incoming_.push_back({std::max(network_.arrival(), earliest), what, size});
  attend();
}

// How much of what has arrived is read now: a part of it may still be on its way.
std::size_t SimulatedEnd::choose_size() {
  Simulation& simulation = network_.simulation_;
  std::size_t segments = 0;
  std::size_t size = 0;
  const auto is_readable = [&](const Segment& segment) {
    return segment.what == What::bytes && segment.time <= simulation.now() && size < kReadBufferBytes;
  };
  while (segments < incoming_.size() && is_readable(incoming_[segments])) size += incoming_[segments++].size;
  if (simulation.is_open()) {
    segments = 1 + simulation.choices().pick(segments);
    size = 0;
    for (std::size_t i = 0; i < segments; ++i) size += incoming_[i].size;
  }
  size = std::min(size, kReadBufferBytes);
  if (size > 1 && simulation.choices().chance(simulation.options().short_permille))
    size = 1 + simulation.choices().pick(size - 1);
  return size;
}

void SimulatedEnd::receive() {
  if (incoming_.front().what != What::bytes) {
    reset_ = reset_ || incoming_.front().what == What::reset;
    const Error error = incoming_.front().what == What::reset ? Error::connection_reset : Error::none;
    incoming_.pop_front();
    return stream_->ended(error);
  }
  const std::size_t size = choose_size();
  std::byte* const lent = stream_->loop().read_buffer_.data();
  std::memcpy(lent, bytes_.data() + consumed_, size);
  take(size);
  stream_->received(Bytes(lent, size));
}

// Whatever has arrived; and answers the end of it with its own.
void SimulatedEnd::discard() {
  while (!incoming_.empty() && incoming_.front().time <= network_.simulation_.now()) {
    if (incoming_.front().what != What::bytes) return network_.disconnect(*this);
    take(incoming_.front().size);
  }
  attend();
}

// Bytes leave the buffer: there is room for more.
void SimulatedEnd::take(std::size_t size) {
  consumed_ += size;
  for (std::size_t left = size; left > 0;) {
    Segment& front = incoming_.front();
    const std::size_t taken = std::min(left, front.size);
    front.size -= taken;
    left -= taken;
    if (front.size == 0) incoming_.pop_front();
  }
  if (consumed_ == bytes_.size()) {
    bytes_.clear();
    consumed_ = 0;
  }
  if (peer_ && peer_->waits_for_room()) {
    peer_->writable_time_ = network_.arrival();
    peer_->attend();
  }
}

bool SimulatedEnd::waits_for_room() const {
  return writable_time_ == Nanos::max() && stream_ && !stream_->connecting_ && !stream_->queue_.empty();
}

std::size_t SimulatedEnd::room() const {
  const std::size_t window = network_.simulation_.options().window_bytes;
  const std::size_t used = peer_->bytes_.size() - peer_->consumed_;
  return used < window ? window - used : 0;
}

// To an end that was closed bytes can be sent once: they come back as a reset.
Result<std::size_t> SimulatedEnd::send(std::span<const iovec> buffers) {
  if (reset_ || end_sent_) return failure(Error::broken_pipe);
  std::size_t size = 0;
  for (const iovec& buffer : buffers) size += buffer.iov_len;
  if (!peer_) {
    reset_ = true;
    arrive(What::reset, 0);
    return size;
  }
  Simulation& simulation = network_.simulation_;
  const bool is_short = size > 1 && simulation.choices().chance(simulation.options().short_permille);
  std::size_t left = std::min(is_short ? 1 + simulation.choices().pick(size - 1) : size, room());
  if (left == 0 && size > 0) return failure(Error::again);
  const std::size_t sent = left;
  for (const iovec& buffer : buffers) {
    const auto* from = static_cast<const std::byte*>(buffer.iov_base);
    const std::size_t taken = std::min(left, buffer.iov_len);
    peer_->bytes_.insert(peer_->bytes_.end(), from, from + taken);
    left -= taken;
  }
  if (sent > 0) peer_->arrive(What::bytes, sent);
  return sent;
}

// What does not go now is tried again when the peer has read, or, after a short write, a moment later.
void SimulatedEnd::write_queue() {
  writable_time_ = Nanos::max();
  while (!stream_->queue_.empty()) {
    WriteRequest& request = stream_->queue_.front();
    // Descriptors do not travel here.
    const auto sent = request.descriptor_ ? failure(Error::not_supported) : send(request.unsent());
    if (!sent && sent.error() != Error::again) return stream_->front_written(sent.error());
    if (!sent) return;
    stream_->queued_bytes_ -= *sent;
    request.consume(*sent);
    if (request.bytes_left() > 0) {
      writable_time_ = network_.arrival();
      return attend();
    }
    stream_->front_written(Error::none);
  }
}

void SimulatedEnd::refuse_writes(Stream& stream) { stream.front_written(Error::not_supported); }

Result<void> SimulatedEnd::finish_sending() {
  if (reset_) return failure(Error::not_connected);
  if (!std::exchange(end_sent_, true) && peer_) peer_->arrive(What::end, 0);
  return {};
}

}  // namespace refloop
