// The writing half of TlsStream: plaintext queues, ciphertext goes down as the stream below drains.
#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "reference-loop/tls/tls_stream.h"

namespace refloop {
namespace {

// Ciphertext waiting below beyond which plaintext stays plaintext: enough to keep a socket busy.
constexpr std::size_t kQueuedBelowMax = 128 * 1024;

struct OwnedTlsWrite : TlsWriteRequest {
  std::vector<std::byte> bytes;
};

}  // namespace

Error TlsStream::write_refusal() const {
  if (is_closing()) return Error::bad_state;
  if (!handshake_started_) return Error::not_connected;
  if (shutdown_requested_) return Error::broken_pipe;
  return failure_;
}

Result<void> TlsStream::write(TlsWriteRequest& request, Bytes bytes, TlsWriteRequest::Callback callback) {
  if (const Error refusal = write_refusal(); refusal != Error::none) return failure(refusal);
  request.done_ = callback;
  request.error_ = Error::none;
  request.unencrypted_ = bytes;
  loop_.trace_schedule(Kind::write_done, request.tag_);
  unencrypted_bytes_ += bytes.size();
  queue_.push_back(request);
  encrypt_queue();
  return {};
}

Result<void> TlsStream::send(Bytes first, Bytes second) {
  if (const Error refusal = write_refusal(); refusal != Error::none) return failure(refusal);
  if (queue_.empty() && engine_.is_connected() && below_.queued_bytes() < kQueuedBelowMax) {
    if (!engine_.write(first) || !engine_.write(second)) {
      fail_engine();
      return failure(failure_);
    }
    flush();
    return failure_ == Error::none ? Result<void>() : failure(failure_);
  }
  auto owned = std::make_unique<OwnedTlsWrite>();
  owned->bytes.reserve(first.size() + second.size());
  owned->bytes.assign(first.begin(), first.end());
  owned->bytes.insert(owned->bytes.end(), second.begin(), second.end());
  owned->owned_by_stream_ = true;
  owned->unencrypted_ = owned->bytes;
  unencrypted_bytes_ += owned->bytes.size();
  queue_.push_back(*owned.release());  // deliver_writes() frees it
  encrypt_queue();
  return {};
}

// Record by record, so that what waits below stays bounded however large a write is.
void TlsStream::encrypt_queue() {
  if (!engine_.is_connected() || failure_ != Error::none || is_closing()) return;
  while (!queue_.empty() && below_.queued_bytes() < kQueuedBelowMax) {
    TlsWriteRequest& request = queue_.front();
    const Bytes piece = request.unencrypted_.first(std::min(request.unencrypted_.size(), kTlsRecordBytes));
    if (!engine_.write(piece)) return fail_engine();
    request.unencrypted_ = request.unencrypted_.subspan(piece.size());
    unencrypted_bytes_ -= piece.size();
    if (request.unencrypted_.empty()) sent_.push_back(queue_.pop_front());
    flush();
    if (failure_ != Error::none) return;
  }
  if (!sent_.empty() && all_left()) loop_.defer(*this);
}

Result<void> TlsStream::shutdown(ShutdownCallback callback) {
  if (is_closing()) return failure(Error::bad_state);
  if (!handshake_started_) return failure(Error::not_connected);
  if (shutdown_requested_) return failure(Error::broken_pipe);
  shutdown_requested_ = true;
  on_shutdown_ = callback;
  shutdown_tag_.label = tag_.label;
  loop_.trace_schedule(Kind::shutdown, shutdown_tag_);
  loop_.defer(*this);
  return {};
}

void TlsStream::begin_shutdown() {
  if (std::exchange(shutdown_begun_, true)) return;
  const auto finished = [this](Error error) {
    shutdown_finished_ = true;
    shutdown_error_ = error;
    loop_.defer(*this);
  };
  if (failure_ != Error::none) return finished(failure_);
  engine_.close_notify();
  flush();
  if (failure_ != Error::none) return finished(failure_);
  const auto started = below_.shutdown([](Stream& stream, Error error) {
    auto& self = *static_cast<TlsStream*>(stream.data);
    if (self.is_closing()) return;  // finish_close() tells
    self.shutdown_finished_ = true;
    self.shutdown_error_ = error;
    self.loop_.defer(self);
  });
  if (!started) finished(started.error());
}

void TlsStream::fail_queue(Error error) {
  unencrypted_bytes_ = 0;
  while (!queue_.empty()) {
    TlsWriteRequest& request = queue_.pop_front();
    request.error_ = error;
    sent_.push_back(request);
  }
}

// Encrypted, but nobody knows how much of it the system took.
void TlsStream::cancel_sent() {
  IntrusiveList<TlsWriteRequest> all;
  all.splice_back(sent_);
  while (!all.empty()) {
    TlsWriteRequest& request = all.pop_front();
    if (request.error_ == Error::none) request.error_ = Error::canceled;
    sent_.push_back(request);
  }
}

// Only what has ended by now: a write made by one of these callbacks waits for the next round.
void TlsStream::deliver_writes() {
  IntrusiveList<TlsWriteRequest> round;
  round.splice_back(sent_);
  while (!round.empty()) {
    TlsWriteRequest& request = round.pop_front();
    if (request.owned_by_stream_) {
      delete static_cast<OwnedTlsWrite*>(&request);
      continue;
    }
    loop_.invoke(Kind::write_done, request.tag_, [&] {
      if (request.done_) request.done_(request, request.error_);
    });
  }
}

}  // namespace refloop
