#include "harness/subject/http_session.h"

#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "harness/subject/do_work.h"

namespace tickmark::subject {
namespace {

// What a recycled exchange may keep of a large body.
constexpr size_t kKeptBodyMax = 16 * 1024;
constexpr size_t kSparesMax = 64;

// More requests at once than a client of ours pipelines, few enough that one who never reads costs bounded
// memory, where the Connection can be told to stop reading.
constexpr http_session::ServerSettings settings_of(ReplyHeaders headers) {
  http_session::ServerSettings settings;
  settings.exchanges_max = 256;
  settings.with_date = settings.announce_keep_alive = headers == ReplyHeaders::kCommon;
  return settings;
}
constexpr http_session::ServerSettings kLeanSettings = settings_of(ReplyHeaders::kLean);
constexpr http_session::ServerSettings kCommonSettings = settings_of(ReplyHeaders::kCommon);

const http_session::FieldBlock& common_fields() {
  static const http_session::FieldBlock fields = [] {
    http_session::FieldBlock block;
    [[maybe_unused]] const bool added =
        block.add("Server", "tickmark") && block.add("Content-Type", "text/plain");
    assert(added);
    return block;
  }();
  return fields;
}

}  // namespace

// A request that is collected until it is whole, then waits for its reply.
class HttpSession::CollectedExchange final : public Exchange, public http_session::ServerExchange {
 public:
  void reply(int status, std::string_view body) override {
    ServerExchange::reply(status, body, session->fields_);
  }
  void offload(Work work, Then then) override;
  void inline_work(const Work& work, Then then) override { then(*this, do_work(work)); }

  HttpSession* session = nullptr;

 private:
  friend class HttpSession;

  void on_request(const http_parser::Request& request) override {
    if (!request.has_body) return serve(request, {});  // nothing is copied
    method_ = request.method;
    target_ = request.target;
    body_.reserve(request.content_length.value_or(0));
  }
  void on_body(std::string_view piece) override { body_.append(piece); }
  void on_request_end() override {
    if (target_.empty()) return;  // served already
    http_parser::Request request;
    request.method = method_;
    request.target = target_;
    serve(request, body_);
  }
  void serve(const http_parser::Request& request, std::string_view body) {
    const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
    session->service_.on_request({method, request.path(), request.query(), body}, *this);
  }
  void forget() {
    method_.clear();
    target_.clear();
    body_.clear();
    if (body_.capacity() > kKeptBodyMax) body_.shrink_to_fit();
  }

  std::string method_;  // these three only of a request with a body
  std::string target_;
  std::string body_;
};

namespace {

// Exchanges come and go with every request: each thread keeps a few.
template <typename T>
struct Spares {
  std::vector<std::unique_ptr<T>> list;
};

}  // namespace

HttpSession::HttpSession(const HttpService& service, Connection& connection, std::atomic<uint64_t>* requests,
                         ReplyHeaders headers)
    : ServerSession(headers == ReplyHeaders::kCommon ? kCommonSettings : kLeanSettings),
      service_(service),
      connection_(connection),
      requests_(requests),
      fields_(headers == ReplyHeaders::kCommon ? &common_fields() : nullptr) {}

HttpSession::~HttpSession() {
  abandon();
  if (requests_) requests_->fetch_add(replies(), std::memory_order_relaxed);
}

static thread_local Spares<http_session::ServerExchange> spares;

http_session::ServerExchange& HttpSession::acquire() {
  CollectedExchange* exchange;
  if (spares.list.empty()) {
    exchange = new CollectedExchange;  // owned by the session until release()
  } else {
    exchange = static_cast<CollectedExchange*>(spares.list.back().release());
    spares.list.pop_back();
  }
  exchange->session = this;
  return *exchange;
}

void HttpSession::release(http_session::ServerExchange& exchange) {
  std::unique_ptr<CollectedExchange> gone(static_cast<CollectedExchange*>(&exchange));
  gone->forget();
  if (spares.list.size() < kSparesMax) spares.list.push_back(std::move(gone));
}

void HttpSession::CollectedExchange::offload(Work work, Then then) {
  session->connection_.offload(std::move(work), [this, then = std::move(then)](WorkOutcome outcome) mutable {
    then(*this, std::move(outcome));
  });
}

}  // namespace tickmark::subject
