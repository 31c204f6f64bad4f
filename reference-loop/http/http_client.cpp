#include "reference-loop/http/http_client.h"

#include <cassert>
#include <utility>

namespace refloop {
namespace {

// More than any server has a reason for.
constexpr int kInterimResponsesMax = 32;

constexpr Error kProtocolError = static_cast<Error>(EPROTO);
constexpr Error kTimedOut = static_cast<Error>(ETIMEDOUT);

}  // namespace

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : loop_(loop), options_(std::move(options)), parser_(options_.limits), timeout_(loop), wake_(loop) {
  timeout_.data = wake_.data = this;
  timeout_.make_internal();
}

HttpClient::~HttpClient() { assert(!channel_ && "an HTTP client is closed before it is destroyed"); }

Result<void> HttpClient::open(std::vector<Address> addresses, OpenCallback callback) {
  if (on_open_ || open_ || closing_ || !callback || addresses.empty()) return failure(Error::bad_state);
  addresses_ = std::move(addresses);
  on_open_ = callback;
  connect_next();
  return {};
}

void HttpClient::connect_next() {
  channel_ =
      std::make_unique<Channel>(loop_, static_cast<Channel::Owner&>(*this), options_.tls, options_.host);
  channel_->resume(options_.session);
  expect_within(options_.connect_timeout);
  const auto started = channel_->connect(addresses_[next_address_++]);
  if (started) return;
  open_error_ = started.error();
  channel_->close();  // channel_closed() goes on
}

void HttpClient::channel_opened(Error error) {
  if (error == Error::none) {
    if (const auto reading = channel_->read_start(); !reading) error = reading.error();
  }
  if (error == Error::none) return report_open(error);
  open_error_ = error;
  failure_reason_ = channel_->failure_reason();
  if (failure_reason_.empty()) failure_reason_ = message_of(error);
  channel_->close();
}

// Also where an address failed and the next is tried.
void HttpClient::channel_closed() {
  channel_.reset();
  open_ = false;
  if (closing_) {
    timeout_.stop();
    if (on_open_) report_open(Error::canceled);
    if (busy_) finish(Error::canceled, "the connection was closed");
    if (const CloseCallback callback = std::exchange(on_close_, nullptr)) callback(*this);
    return;
  }
  if (!on_open_) return;
  const bool may_go_on = open_error_ != kTlsCertificateRefused && next_address_ < addresses_.size();
  if (may_go_on)
    connect_next();
  else
    report_open(open_error_);
}

void HttpClient::report_open(Error error) {
  timeout_.stop();
  open_ = keep_alive_ = error == Error::none;
  if (open_) failure_reason_.clear();
  std::exchange(on_open_, nullptr)(*this, error);
}

Result<void> HttpClient::request(const http_session::RequestHead& head, Callbacks callbacks) {
  if (busy_) return failure(Error::busy);
  if (!is_reusable()) return failure(Error::not_connected);
  std::string text;
  if (!http_session::append_request_head(text, head)) return failure(Error::bad_state);
  if (const auto sent = channel_->send(text); !sent) return sent;
  busy_ = true;
  callbacks_ = callbacks;
  send_error_ = Error::none;
  head_seen_ = false;
  interim_responses_ = 0;
  request_chunked_ = head.chunked;
  body_bytes_left_ = head.content_length.value_or(0);
  request_sent_ = !head.chunked && body_bytes_left_ == 0;
  keep_alive_ = !head.close;
  failure_reason_.clear();
  parser_.expect(head.method == "HEAD");
  expect_within(options_.idle_timeout);
  return {};
}

Result<void> HttpClient::write(std::string_view piece) {
  if (!busy_ || request_sent_) return failure(Error::bad_state);
  if (piece.empty()) return {};
  expect_within(options_.idle_timeout);
  if (request_chunked_) {
    std::string chunk;
    http_session::append_chunk_size(chunk, piece.size());
    return send_body(chunk.append(piece).append("\r\n"));
  }
  if (piece.size() > body_bytes_left_) return failure(Error::bad_state);
  body_bytes_left_ -= piece.size();
  request_sent_ = body_bytes_left_ == 0;
  return send_body(piece);
}

Result<void> HttpClient::send_body(std::string_view bytes) {
  if (send_error_ != Error::none) return failure(send_error_);
  const auto sent = channel_->send(bytes);
  if (sent) return sent;
  send_error_ = sent.error();
  keep_alive_ = false;
  return sent;
}

Result<void> HttpClient::end() {
  if (!busy_) return failure(Error::bad_state);
  if (send_error_ != Error::none) return failure(send_error_);
  if (request_sent_) return {};
  if (!request_chunked_) return failure(Error::bad_state);  // bytes are missing
  request_sent_ = true;
  return send_body("0\r\n\r\n");
}

void HttpClient::channel_read(Bytes bytes) {
  receive({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void HttpClient::receive(std::string_view bytes) {
  if (!busy_) {
    keep_alive_ = false;  // an answer to nothing: whatever comes next is not to be trusted
    return;
  }
  expect_within(options_.idle_timeout);
  while (!bytes.empty() && busy_ && !closing_) {
    if (paused_) {
      held_.append(bytes);
      return;
    }
    const http_parser::Progress progress = parser_.feed(bytes);
    bytes.remove_prefix(progress.consumed);
    if (!take(progress)) break;
  }
  if (!bytes.empty()) keep_alive_ = false;
}

// False: the exchange is over.
bool HttpClient::take(const http_parser::Progress& progress) {
  switch (progress.result) {
    case http_parser::Result::refused:
      finish(kProtocolError, parser_.refusal().reason);
      return false;
    case http_parser::Result::head: {
      const http_parser::Response& response = parser_.response();
      if (response.interim) {
        if (++interim_responses_ <= kInterimResponsesMax) return true;
        finish(kProtocolError, "more interim responses than any server has a reason for");
        return false;
      }
      head_seen_ = true;
      keep_alive_ = keep_alive_ && response.keep_alive;
      if (callbacks_.on_head) callbacks_.on_head(*this, response);
      break;
    }
    case http_parser::Result::body:
      if (callbacks_.on_body && !parser_.body().empty()) callbacks_.on_body(*this, parser_.body());
      break;
    case http_parser::Result::need_more:
      break;
  }
  if (!progress.last || closing_) return !closing_;
  keep_alive_ = keep_alive_ && request_sent_;  // an answer before the end of the question: the rest is void
  finish(Error::none, "");
  return false;
}

void HttpClient::channel_ended(Error error) {
  peer_ended_ = true;
  keep_alive_ = false;
  if (!busy_) return;
  if (error != Error::none) {
    const std::string reason = channel_->failure_reason();
    return finish(error, reason.empty() ? std::string(message_of(error)) : reason);
  }
  if (paused_) return;  // what is held comes first: woken() looks again
  if (head_seen_ && parser_.end_of_input()) return finish(Error::none, "");
  finish(Error::connection_reset,
         head_seen_ ? "the connection ended amid the answer" : "the connection ended before the answer");
}

void HttpClient::finish(Error error, std::string reason) {
  timeout_.stop();
  busy_ = paused_ = false;
  held_.clear();
  failure_reason_ = std::move(reason);
  if (error != Error::none) keep_alive_ = false;
  if (callbacks_.on_done) callbacks_.on_done(*this, error);
}

void HttpClient::pause() {
  if (!busy_ || paused_) return;
  paused_ = true;
  timeout_.stop();
  channel_->read_stop();
}

void HttpClient::resume() {
  if (!std::exchange(paused_, false)) return;
  (void)wake_.start([](Timer& timer) { static_cast<HttpClient*>(timer.data)->woken(); }, Nanos{0});
}

void HttpClient::woken() {
  if (closing_ && !channel_) {
    if (const CloseCallback callback = std::exchange(on_close_, nullptr)) callback(*this);
    return;
  }
  if (closing_ || paused_ || !busy_) return;
  expect_within(options_.idle_timeout);
  const std::string bytes = std::exchange(held_, {});
  receive(bytes);
  if (closing_ || paused_ || !channel_) return;
  if (peer_ended_)
    channel_ended(Error::none);
  else
    (void)channel_->read_start();
}

void HttpClient::expect_within(Nanos timeout) {
  (void)timeout_.start([](Timer& timer) { static_cast<HttpClient*>(timer.data)->timed_out(); }, timeout);
}

void HttpClient::timed_out() {
  if (on_open_) {
    open_error_ = kTimedOut;
    failure_reason_ = "no connection in time";
    return channel_->close();
  }
  finish(kTimedOut, "the server paused for too long");
}

void HttpClient::close(CloseCallback callback) {
  assert(!closing_ && "closed twice");
  closing_ = true;
  on_close_ = callback;
  timeout_.stop();
  if (channel_)
    channel_->close();
  else
    (void)wake_.start([](Timer& timer) { static_cast<HttpClient*>(timer.data)->woken(); }, Nanos{0});
}

}  // namespace refloop
