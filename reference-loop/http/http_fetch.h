// One outbound request from a URL to the whole answer: the name is resolved on the pool, its addresses are
// tried in order, TLS is spoken where the URL says https, and the connection is closed behind the answer.
//
//   refloop::HttpFetch fetch(*loop);
//   fetch.start("https://example.org/", {}, [](refloop::HttpFetch& done, refloop::Error error) {
//     if (error != refloop::Error::none) return complain(done.failure_reason());
//     use(done.status(), done.body());
//   });
//
// For more than one request per connection, or bodies that are not to be held in memory: HttpClient.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference-loop/http/http_client.h"
#include "reference-loop/http_parser/url.h"
#include "reference-loop/resolve.h"

namespace refloop {

struct HttpFetchOptions {
  std::string method = "GET";
  http_session::FieldBlock fields = {};  // of the request
  std::string body = {};                 // sent if not empty
  const TlsContext* tls = nullptr;       // borrowed; nothing: one that trusts what the system trusts
  std::size_t body_bytes_max = 16 * 1024 * 1024;
  Nanos connect_timeout = std::chrono::seconds(10);
  Nanos idle_timeout = std::chrono::seconds(30);
};

class HttpFetch {
 public:
  using Callback = void (*)(HttpFetch&, Error error);

  explicit HttpFetch(Loop& loop) : loop_(loop), resolving_(loop) { resolving_.data = this; }
  HttpFetch(const HttpFetch&) = delete;
  HttpFetch& operator=(const HttpFetch&) = delete;

  // `callback` runs once, when the connection is closed; the object may be destroyed or started again there.
  // Error::bad_state for a URL that is refused (failure_reason() says why) or while one is under way; then
  // there is no callback.
  Result<void> start(std::string_view url, HttpFetchOptions options, Callback callback);

  // Of the answer; redirects are answers like any other.
  int status() const { return status_; }
  const std::string& body() const { return body_; }
  std::optional<std::string_view> header(std::string_view name) const;
  // One sentence, empty without an error.
  const std::string& failure_reason() const { return failure_reason_; }

  void* data = nullptr;  // the caller's

 private:
  static HttpFetch& of(HttpClient& client) { return *static_cast<HttpFetch*>(client.data); }
  Result<void> choose_context();
  void resolved(Error error);
  void opened(Error error);
  void answered(const http_parser::Response& response);
  void finish(Error error, std::string reason);

  Loop& loop_;
  ResolveRequest resolving_;
  std::optional<HttpClient> client_;
  std::optional<TlsContext> own_context_;
  http_parser::Url url_;
  HttpFetchOptions options_;
  Callback callback_ = nullptr;
  int status_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string body_;
  Error error_ = Error::none;
  std::string failure_reason_;
};

}  // namespace refloop
