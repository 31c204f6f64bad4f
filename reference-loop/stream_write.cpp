// The writing half of Stream: one queue, three ways in, one order out.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include "reference-loop/stream.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

iovec to_iovec(Bytes bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

}  // namespace

// The unsent rest of a send(), with its bytes.
struct Stream::OwnedWrite : WriteRequest {
  OwnedWrite() { owned_by_stream_ = true; }
  void append(Bytes more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    buffers_[0] = to_iovec(bytes);
    buffer_count_ = 1;
  }
  std::vector<std::byte> bytes;
};

std::size_t WriteRequest::bytes_left() const {
  std::size_t left = 0;
  for (std::size_t i = next_buffer_; i < buffer_count_; ++i) left += buffers_[i].iov_len;
  return left;
}

void WriteRequest::consume(std::size_t bytes) {
  while (next_buffer_ < buffer_count_) {
    iovec& buffer = buffers_[next_buffer_];
    const std::size_t taken = std::min(bytes, buffer.iov_len);
    buffer.iov_base = static_cast<std::byte*>(buffer.iov_base) + taken;
    buffer.iov_len -= taken;
    bytes -= taken;
    if (buffer.iov_len > 0) return;
    ++next_buffer_;
  }
}

Error Stream::write_refusal() const {
  if (is_closing()) return Error::bad_state;
  if (!socket_) return Error::not_connected;
  if (shutdown_requested_ && !is_mutant(Mutant::writes_go_on_after_shutdown)) return Error::broken_pipe;
  if (write_failed_) return write_error_;
  return Error::none;
}

Result<void> Stream::write(WriteRequest& request, std::span<const Bytes> buffers,
                           WriteRequest::Callback callback) {
  if (const Error refusal = write_refusal(); refusal != Error::none) return failure(refusal);
  if (buffers.size() > kWriteBuffersMax) return failure(Error::bad_state);
  request.done_ = callback;
  request.error_ = Error::none;
  request.buffer_count_ = static_cast<std::uint8_t>(buffers.size());
  request.next_buffer_ = 0;
  std::ranges::transform(buffers, request.buffers_.begin(), to_iovec);
  loop_.trace_schedule(Kind::write_done, request.tag_);
  enqueue(request);
  if (is_mutant(Mutant::write_callback_synchronous)) deliver_writes();
  return {};
}

void Stream::enqueue(WriteRequest& request) {
  request.stream_ = this;
  ++loop_.active_requests_;
  queued_bytes_ += request.bytes_left();
  const bool first = queue_.empty();
  queue_.push_back(request);
  // Behind others it is sent when they are; while connecting, once that succeeded.
  if (first && !connecting_) loop_.backend_->write(*this);
}

Result<void> Stream::send(Bytes first, Bytes second) {
  const bool may_pass =
      !is_closing() && socket_ && !shutdown_requested_ && !write_failed_ && !connecting_ && queue_.empty();
  if (may_pass) [[likely]]
    return loop_.backend_->send(*this, first, second);
  if (const Error refusal = write_refusal(); refusal != Error::none) return failure(refusal);
  return send_rest(first, second, failure(Error::again));
}

Result<std::size_t> Stream::send_now(Bytes first, Bytes second) {
  std::array<iovec, 2> buffers{to_iovec(first), to_iovec(second)};
  return loop_.backend_->try_write(*this, std::span(buffers).first(second.empty() ? 1 : 2));
}

// Copies what was not taken.
Result<void> Stream::send_rest(Bytes first, Bytes second, Result<std::size_t> taken) {
  if (!taken && taken.error() != Error::again) return failure(taken.error());
  const std::size_t sent = taken.value_or(0);
  if (sent == first.size() + second.size()) return {};
  auto* rest = new OwnedWrite;
  const std::size_t from_first = std::min(sent, first.size());
  rest->append(first.subspan(from_first));
  rest->append(second.subspan(sent - from_first));
  enqueue(*rest);
  return {};
}

bool Stream::is_flushed() {
  loop_.backend_->settle(*this);
  return queued_bytes_ == 0;
}

void Stream::queue_rest(Bytes bytes) {
  auto* rest = new OwnedWrite;
  rest->append(bytes);
  rest->stream_ = this;
  ++loop_.active_requests_;
  queued_bytes_ += bytes.size();
  queue_.push_front(*rest);
}

void Stream::taken_from_queue(std::size_t bytes, std::size_t requests) {
  for (; requests > 0 && !queue_.empty(); --requests) {
    WriteRequest& request = queue_.front();
    const std::size_t taken = std::min(bytes, request.bytes_left());
    queued_bytes_ -= taken;
    bytes -= taken;
    request.consume(taken);
    if (request.bytes_left() > 0) return;
    front_written(Error::none);
  }
}

Result<std::size_t> Stream::try_write(Bytes bytes) {
  if (const Error refusal = write_refusal(); refusal != Error::none) return failure(refusal);
  if (!queue_.empty() || connecting_) return failure(Error::again);
  iovec buffer = to_iovec(bytes);
  return loop_.backend_->try_write(*this, std::span(&buffer, 1));
}

void Stream::front_written(Error error) {
  WriteRequest& request = queue_.pop_front();
  request.error_ = error;
  request.descriptor_.reset();            // open only if it failed
  queued_bytes_ -= request.bytes_left();  // not zero only if it failed
  if (is_mutant(Mutant::write_callbacks_lifo))
    sent_.push_front(request);
  else
    sent_.push_back(request);
  if (error != Error::none) fail_writing(request, error);
  if (queue_.empty() && on_drain_) drain_due_ = true;
  loop_.defer(*this);
}

// Later bytes must not follow a gap. Where a send() is lost, reading ends, too, once what has arrived is
// read.
void Stream::fail_writing(WriteRequest& first, Error error) {
  send_failed_ = first.owned_by_stream_;
  fail_queue(error);
  write_failed_ = true;
  write_error_ = error;
  if (send_failed_) sys::shutdown(fd(), SHUT_RD);
}

void Stream::fail_queue(Error error) {
  while (!queue_.empty()) {
    WriteRequest& request = queue_.pop_front();
    request.error_ = is_mutant(Mutant::canceled_writes_report_success) ? Error::none : error;
    request.descriptor_.reset();
    queued_bytes_ -= request.bytes_left();
    send_failed_ |= request.owned_by_stream_;
    sent_.push_back(request);
  }
  if (!sent_.empty()) loop_.defer(*this);
}

// Only what has ended by now: a write completed by one of these callbacks waits for the next round.
void Stream::deliver_writes() {
  IntrusiveList<WriteRequest> round;
  round.splice_back(sent_);
  while (!round.empty()) {
    WriteRequest& request = round.pop_front();
    --loop_.active_requests_;
    if (request.owned_by_stream_) {
      delete static_cast<OwnedWrite*>(&request);
      continue;
    }
    loop_.invoke(Kind::write_done, request.tag_, [&] {
      if (request.done_) request.done_(request, request.error_);
    });
  }
}

void Stream::deliver_drain() {
  drain_due_ = false;
  if (!on_drain_ || !queue_.empty()) return;
  loop_.invoke(Kind::drain, tag_, [&] { on_drain_(*this); });
}

}  // namespace refloop
