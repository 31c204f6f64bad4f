#include "reference-loop/http_session/server_session.h"

#include <cassert>
#include <utility>

namespace http_session {
namespace {

using http_parser::RequestParser;
using http_parser::Result;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// Beyond this a body is sent from where it lies instead of being copied behind its head.
constexpr std::size_t kCopyMax = 16 * 1024;

// One parser and one output buffer per thread are lent to the session that runs. A session that runs
// inside another's callback finds the cupboard empty and makes its own.
thread_local std::unique_ptr<RequestParser> spare_parser;
thread_local std::unique_ptr<std::string> spare_output;

std::unique_ptr<RequestParser> borrow_parser(const http_parser::Limits& limits) {
  auto parser = spare_parser ? std::move(spare_parser) : std::make_unique<RequestParser>();
  parser->reset(limits);
  return parser;
}

}  // namespace

// While one is open, replies collect; the end of the outermost sends them as one.
class ServerSession::Batch {
 public:
  explicit Batch(ServerSession& session) : session_(session), outermost_(session.output_ == nullptr) {
    if (!outermost_) return;
    buffer_ = spare_output ? std::move(spare_output) : std::make_unique<std::string>();
    session_.output_ = buffer_.get();
  }
  ~Batch() {
    if (!outermost_) return;
    do {  // what left makes room for what was held back
      session_.take_up_input();
      session_.flush();
    } while (session_.held_ && !session_.consuming_ && session_.wants_input());
    session_.output_ = nullptr;
    buffer_->clear();
    spare_output = std::move(buffer_);
    session_.update_wanted();
    if (session_.input_over_ && !session_.front_ && !std::exchange(session_.closed_, true)) session_.close();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  ServerSession& session_;
  bool outermost_;
  std::unique_ptr<std::string> buffer_;
};

ServerSession::~ServerSession() { assert(!front_ && "the owner abandons what is unanswered, while it can"); }

bool ServerSession::wants_input() const {
  if (input_over_ || exchanges_ >= settings_.exchanges_max || (current_ && current_->paused_)) return false;
  return unsent_bytes() + (output_ ? output_->size() : 0) <= settings_.unsent_bytes_max;
}

void ServerSession::receive(std::string_view bytes) {
  if (input_over_) return;
  Batch batch(*this);
  if (held_ || consuming_) {
    if (!held_) held_ = std::make_unique<std::string>();
    held_->append(bytes);
  } else {
    consume(bytes);
  }
}

void ServerSession::receive_end() {
  Batch batch(*this);  // its end closes, if nothing is owed
  peer_ended_ = true;
  if (!held_) end_input();
}

void ServerSession::end_input() {
  input_over_ = true;
  partial_.reset();
  if (!current_) return;
  ServerExchange& cut = *std::exchange(current_, nullptr);
  cut.request_read_ = true;
  if (!cut.ended_) void_exchange(cut);
  advance();
}

// Nobody can be answered here any more; its turn is the end of the connection.
void ServerSession::void_exchange(ServerExchange& exchange) {
  exchange.ended_ = exchange.close_after_ = true;
  exchange.begun_ = false;
  exchange.on_abandoned();
}

void ServerSession::drained() {
  Batch batch(*this);  // its end takes up input again
  if (front_ && front_->begun_ && !front_->ended_) front_->on_drain();
}

void ServerSession::finish() {
  Batch batch(*this);
  finishing_ = true;
  if (!partial_ && !held_) input_over_ = true;
  if (back_ && !back_->begun_) back_->close_after_ = true;
}

void ServerSession::abandon() {
  closed_ = input_over_ = true;
  partial_.reset();
  held_.reset();
  release_all();
}

void ServerSession::refuse(int status, const char* reason) {
  if (input_over_) return;
  Batch batch(*this);
  partial_.reset();
  refuse_message({status, reason});
}

void ServerSession::consume(std::string_view bytes) {
  consuming_ = true;
  auto parser = partial_ ? std::move(partial_) : borrow_parser(settings_.limits);
  while (!bytes.empty() && wants_input()) {
    const auto [result, last, consumed] = parser->feed(bytes);
    bytes.remove_prefix(consumed);
    if (result == Result::head) {
      begin(parser->request());
    } else if (result == Result::body) {
      continue_awaited_ = false;
      if (current_ && !current_->ended_) current_->on_body(parser->body());
    } else if (result == Result::refused) {
      refuse_message(parser->refusal());
    }
    if (last && current_) end_request();
  }
  consuming_ = false;
  settle_input(std::move(parser), bytes);
}

// Who waits for the rest of a request keeps the parser; who wants no input, the bytes.
void ServerSession::settle_input(std::unique_ptr<RequestParser> parser, std::string_view rest) {
  if (input_over_) {
    held_.reset();
    spare_parser = std::move(parser);
    return;
  }
  if (!rest.empty()) {
    auto kept = std::make_unique<std::string>(rest);
    if (held_) kept->append(*held_);
    held_ = std::move(kept);
  }
  if (parser->idle()) {
    spare_parser = std::move(parser);
  } else {
    partial_ = std::move(parser);
    if (continue_awaited_ && current_ && !current_->begun_) owe_continue();
  }
}

// What was held back is read as soon as it may be; once per batch, so that no stack grows.
void ServerSession::take_up_input() {
  while (held_ && !consuming_ && wants_input()) {
    const auto bytes = std::move(held_);
    consume(*bytes);
  }
  if (held_ || input_over_) return;
  if (peer_ended_)
    end_input();
  else if (finishing_ && !partial_)
    input_over_ = true;
}

void ServerSession::update_wanted() {
  const bool wanted = wants_input() && !held_;
  if (std::exchange(wanted_, wanted) != wanted && !input_over_) input_wanted(wanted);
}

ServerExchange& ServerSession::append_exchange() {
  ServerExchange& exchange = acquire();
  exchange.session_ = this;
  exchange.next_ = nullptr;
  exchange.length_left_.reset();
  exchange.head_only_ = exchange.http_1_0_ = exchange.close_after_ = exchange.request_read_ = false;
  exchange.begun_ = exchange.ended_ = exchange.chunked_ = exchange.paused_ = false;
  (back_ ? back_->next_ : front_) = &exchange;
  back_ = &exchange;
  ++exchanges_;
  return exchange;
}

void ServerSession::begin(const http_parser::Request& request) {
  ServerExchange& exchange = append_exchange();
  current_ = &exchange;
  exchange.head_only_ = request.method == "HEAD";
  exchange.http_1_0_ = request.version_minor == 0;
  exchange.close_after_ = !request.keep_alive || (finishing_ && !held_);
  continue_awaited_ = request.expects_continue;
  exchange.on_request(request);
}

void ServerSession::end_request() {
  ServerExchange& exchange = *std::exchange(current_, nullptr);
  exchange.request_read_ = true;
  ++requests_read_;
  if (exchange.close_after_) input_over_ = true;
  if (exchange.ended_)
    advance();
  else
    exchange.on_request_end();
}

// A request that breaks off is answered by the session; whoever began to serve it is told that it is void.
void ServerSession::refuse_message(const http_parser::Refusal& refusal) {
  input_over_ = true;
  ServerExchange* exchange = std::exchange(current_, nullptr);
  if (exchange) {
    exchange->request_read_ = true;
    if (!exchange->ended_ && exchange->begun_) void_exchange(*exchange);  // half an answer, then the end
    if (exchange->ended_) return advance();
    exchange->on_abandoned();
  } else {
    exchange = &append_exchange();
    exchange->request_read_ = true;
  }
  exchange->close_after_ = true;
  std::string text(refusal.reason);
  exchange->reply(refusal.status, text.append("\n"));
}

void ServerSession::owe_continue() {
  continue_awaited_ = false;
  if (front_ == current_)
    output_->append(kContinue);
  else
    continue_owed_ = true;  // earlier replies come first
}

// A client that waits for "100 Continue" and gets its answer instead may send the body or not: what would
// come next cannot be told apart, so nothing is read any more.
void ServerSession::stop_reading(ServerExchange& exchange) {
  exchange.request_read_ = exchange.close_after_ = input_over_ = true;
  continue_awaited_ = continue_owed_ = false;
  current_ = nullptr;
  partial_.reset();
}

void ServerSession::write_head(ServerExchange& exchange, int status, std::optional<std::size_t> length,
                               const FieldBlock* fields) {
  assert(!exchange.begun_ && "a request is answered once");
  exchange.begun_ = true;
  const bool bodiless = status == 204 || status == 304;
  exchange.chunked_ = !length && !exchange.http_1_0_ && !bodiless;
  if (!length && exchange.http_1_0_) exchange.close_after_ = true;
  if (&exchange == current_ && (continue_awaited_ || continue_owed_)) stop_reading(exchange);
  if (exchange.close_after_ && exchange.request_read_ && &exchange == back_) input_over_ = true;
  exchange.length_left_ = length;
  ResponseHead head;
  head.status = status;
  if (!bodiless) head.content_length = length;
  head.chunked = exchange.chunked_;
  head.with_date = settings_.with_date;
  if (fields) head.fields = fields->text();
  if (exchange.close_after_)
    head.connection = "close";
  else if (exchange.http_1_0_ || settings_.announce_keep_alive)
    head.connection = "keep-alive";  // HTTP/1.0 clients believe in it only when told
  exchange.head_only_ = exchange.head_only_ || bodiless;
  append_head(&exchange == front_ ? *output_ : exchange.kept_, head);
}

void ServerSession::write_body(ServerExchange& exchange, std::string_view piece) {
  if (exchange.length_left_) {
    assert(piece.size() <= *exchange.length_left_ && "more than the announced Content-Length");
    *exchange.length_left_ -= piece.size();
  }
  if (exchange.head_only_ || piece.empty()) return;
  std::string& out = &exchange == front_ ? *output_ : exchange.kept_;
  if (exchange.chunked_) append_chunk_size(out, piece.size());
  if (piece.size() <= kCopyMax || &exchange != front_) {
    out.append(piece);
  } else {
    flush();
    if (is_open()) send(piece);
  }
  if (exchange.chunked_) out.append("\r\n");
}

void ServerSession::end_reply(ServerExchange& exchange) {
  if (exchange.chunked_ && !exchange.head_only_)
    (&exchange == front_ ? *output_ : exchange.kept_).append("0\r\n\r\n");
  exchange.ended_ = true;
  if (exchange.length_left_.value_or(0) > 0 && !exchange.head_only_) {  // the client must see that it is cut
    exchange.close_after_ = exchange.request_read_ = true;
    current_ = nullptr;
    input_over_ = true;
  }
  if (&exchange == front_) advance();
}

// The front leaves when it is answered and read; who comes next may say what was kept.
void ServerSession::advance() {
  while (front_ && front_->ended_ && front_->request_read_) {
    const bool last = front_->close_after_;
    replies_ += front_->begun_ ? 1 : 0;
    pop_front();
    if (last) {
      input_over_ = true;
      return release_all();
    }
    if (!front_) return;
    output_->append(front_->kept_);
    front_->kept_ = {};
    if (front_ == current_ && std::exchange(continue_owed_, false)) output_->append(kContinue);
    if (front_->begun_ && !front_->ended_) return front_->on_drain();
  }
}

void ServerSession::pop_front() {
  ServerExchange& gone = *front_;
  front_ = gone.next_;
  if (!front_) back_ = nullptr;
  --exchanges_;
  release(gone);
}

void ServerSession::release_all() {
  current_ = nullptr;
  continue_awaited_ = continue_owed_ = false;
  while (front_) {
    front_->kept_ = {};
    if (!std::exchange(front_->ended_, true)) front_->on_abandoned();
    pop_front();
  }
}

void ServerSession::flush() {
  if (output_->empty()) return;
  if (is_open()) send(*output_);
  output_->clear();
}

void ServerExchange::reply(int status, std::string_view body, const FieldBlock* fields) {
  ServerSession::Batch batch(*session_);
  session_->write_head(*this, status, body.size(), fields);
  session_->write_body(*this, body);
  session_->end_reply(*this);
}

void ServerExchange::begin_reply(int status, std::optional<std::size_t> length, const FieldBlock* fields) {
  ServerSession::Batch batch(*session_);
  session_->write_head(*this, status, length, fields);
}

void ServerExchange::write(std::string_view piece) {
  assert(begun_ && !ended_);
  ServerSession::Batch batch(*session_);
  session_->write_body(*this, piece);
}

void ServerExchange::end_reply() {
  assert(begun_ && !ended_);
  ServerSession::Batch batch(*session_);
  session_->end_reply(*this);
}

std::size_t ServerExchange::queued_bytes() const {
  const bool is_front = session_->front_ == this;
  return kept_.size() + (is_front ? session_->unsent_bytes() : 0);
}

void ServerExchange::pause() {
  paused_ = true;
  if (!session_->output_) session_->update_wanted();
}

void ServerExchange::resume() {
  ServerSession::Batch batch(*session_);
  paused_ = false;
}

}  // namespace http_session
