#include "harness/subject/http_session.h"

#include <cassert>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "harness/subject/do_work.h"

namespace tickmark::subject {
namespace {

using http_parser::RequestParser;

// Beyond this a body is sent from where it lies instead of being copied behind its head.
constexpr size_t kCopyMax = 16 * 1024;

// One parser and one output buffer per thread are lent to the session that runs. A session that runs
// inside another's callback finds the cupboard empty and makes its own.
thread_local std::unique_ptr<RequestParser> spare_parser;
thread_local std::unique_ptr<std::string> spare_output;

std::unique_ptr<RequestParser> borrow_parser() {
  return spare_parser ? std::move(spare_parser) : std::make_unique<RequestParser>();
}

void give_back(std::unique_ptr<RequestParser> parser) {
  parser->reset();
  spare_parser = std::move(parser);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 505:
      return "HTTP Version Not Supported";
  }
  return "Unknown";
}

}  // namespace

// A request that waits for its reply, and, once it has one, for its turn.
class HttpSession::PendingExchange final : public Exchange {
 public:
  explicit PendingExchange(HttpSession& session) : session_(session) {}

  void reply(int status, std::string_view body) override { session_.finish(*this, status, body); }
  void offload(Work work, Then then) override;
  void inline_work(const Work& work, Then then) override { then(*this, do_work(work)); }

  PendingExchange* next = nullptr;
  bool head_only = false;
  bool close_after = false;
  bool announce_keep_alive = false;  // HTTP/1.0 clients believe in it only when told
  bool done = false;
  int kept_status = 0;    // when done
  std::string kept_body;  // when done

 private:
  HttpSession& session_;
};

// While one is open, replies collect; its end sends them as one.
class HttpSession::Batch {
 public:
  explicit Batch(HttpSession& session) : session_(session), outermost_(session.output_ == nullptr) {
    if (!outermost_) return;
    buffer_ = spare_output ? std::move(spare_output) : std::make_unique<std::string>();
    session_.output_ = buffer_.get();
  }
  ~Batch() {
    if (!outermost_) return;
    session_.flush();
    session_.output_ = nullptr;
    spare_output = std::move(buffer_);
    if (session_.input_over_ && session_.front_ == nullptr && !session_.closed_) {
      session_.closed_ = true;
      session_.connection_.close();
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  HttpSession& session_;
  bool outermost_;
  std::unique_ptr<std::string> buffer_;
};

void HttpSession::PendingExchange::offload(Work work, Then then) {
  session_.connection_.offload(std::move(work), [this, then = std::move(then)](WorkOutcome outcome) mutable {
    Batch batch(session_);
    then(*this, std::move(outcome));
  });
}

HttpSession::~HttpSession() {
  while (front_) pop_front();
  if (requests_) requests_->fetch_add(replies_, std::memory_order_relaxed);
}

void HttpSession::on_bytes(std::string_view bytes) {
  if (input_over_) return;
  Batch batch(*this);
  auto parser = partial_ ? std::move(partial_) : borrow_parser();
  while (!bytes.empty() && !input_over_) {
    const auto [result, consumed] = parser->feed(bytes);
    bytes.remove_prefix(consumed);
    if (result == http_parser::Result::request) begin(parser->request());
    if (result == http_parser::Result::refused) refuse(parser->refusal());
  }
  if (input_over_ || parser->idle()) return give_back(std::move(parser));
  if (parser->expects_continue()) owe_continue();
  partial_ = std::move(parser);
}

void HttpSession::on_end() {
  Batch batch(*this);  // its end closes, if nothing is owed
  input_over_ = true;
}

HttpSession::PendingExchange& HttpSession::append_exchange() {
  auto* exchange = new PendingExchange(*this);  // owned by the list; pop_front() deletes
  (back_ ? back_->next : front_) = exchange;
  back_ = exchange;
  return *exchange;
}

void HttpSession::begin(const http_parser::Request& request) {
  PendingExchange& exchange = append_exchange();
  exchange.head_only = request.method == "HEAD";
  exchange.close_after = !request.keep_alive;
  exchange.announce_keep_alive = request.keep_alive && request.version_minor == 0;
  if (exchange.close_after) input_over_ = true;
  continued_ = continue_owed_ = false;
  const std::string_view method = exchange.head_only ? "GET" : request.method;
  service_.on_request({method, request.path(), request.query(), request.body}, exchange);
}

void HttpSession::refuse(const http_parser::Refusal& refusal) {
  PendingExchange& exchange = append_exchange();
  exchange.close_after = true;
  input_over_ = true;
  exchange.reply(refusal.status, fmt::format("{}\n", refusal.reason));
}

void HttpSession::owe_continue() {
  if (continued_) return;
  continued_ = true;
  if (front_) {
    continue_owed_ = true;  // earlier replies come first
  } else {
    output_->append("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

void HttpSession::finish(PendingExchange& exchange, int status, std::string_view body) {
  assert(!exchange.done && "a request is answered once");
  if (&exchange != front_) {
    exchange.done = true;
    exchange.kept_status = status;
    exchange.kept_body = body;
    return;
  }
  Batch batch(*this);
  write(exchange, status, body);
  pop_front();
  while (front_ && front_->done) {
    write(*front_, front_->kept_status, front_->kept_body);
    pop_front();
  }
  if (!front_ && std::exchange(continue_owed_, false)) output_->append("HTTP/1.1 100 Continue\r\n\r\n");
}

void HttpSession::write(const PendingExchange& exchange, int status, std::string_view body) {
  ++replies_;
  fmt::format_to(std::back_inserter(*output_), FMT_STRING("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n{}\r\n"),
                 status, reason_phrase(status), body.size(),
                 exchange.close_after           ? "Connection: close\r\n"
                 : exchange.announce_keep_alive ? "Connection: keep-alive\r\n"
                                                : "");
  if (exchange.head_only) return;
  if (body.size() <= kCopyMax) {
    output_->append(body);
  } else {
    flush();
    connection_.send(body);
  }
}

void HttpSession::pop_front() {
  PendingExchange* gone = std::exchange(front_, front_->next);
  if (!front_) back_ = nullptr;
  delete gone;
}

void HttpSession::flush() {
  if (output_->empty()) return;
  connection_.send(*output_);
  output_->clear();
}

}  // namespace tickmark::subject
