#include "reference-loop/http/http_fetch.h"

namespace refloop {

Result<void> HttpFetch::start(std::string_view url, HttpFetchOptions options, Callback callback) {
  if (callback_ || !callback) return failure(Error::bad_state);
  auto parsed = http_parser::Url::parse(url);
  if (!parsed) {
    failure_reason_ = parsed.error();
    return failure(Error::bad_state);
  }
  url_ = std::move(*parsed);
  options_ = std::move(options);
  status_ = 0;
  headers_.clear();
  body_.clear();
  error_ = Error::none;
  failure_reason_.clear();
  if (auto chosen = choose_context(); !chosen) return chosen;
  callback_ = callback;
  resolving_.resolve(url_.host, std::to_string(url_.port), [](ResolveRequest& request, Error error) {
    static_cast<HttpFetch*>(request.data)->resolved(error);
  });
  return {};
}

// Reading the system's certificates takes a while: only where TLS is spoken, and once.
Result<void> HttpFetch::choose_context() {
  if (!url_.is_https || options_.tls || own_context_) return {};
  auto made = TlsContext::client();
  if (!made) {
    failure_reason_ = made.error().reason;
    return failure(made.error().error);
  }
  own_context_ = std::move(*made);
  return {};
}

void HttpFetch::resolved(Error error) {
  if (error != Error::none) return finish(error, url_.host + ": " + std::string(message_of(error)));
  HttpClientOptions client_options;
  client_options.limits.body_bytes_max = options_.body_bytes_max;
  client_options.host = url_.host;
  client_options.connect_timeout = options_.connect_timeout;
  client_options.idle_timeout = options_.idle_timeout;
  if (url_.is_https) client_options.tls = options_.tls ? options_.tls : &*own_context_;
  client_.emplace(loop_, std::move(client_options));
  client_->data = this;
  const auto opening = client_->open(resolving_.addresses(),
                                     [](HttpClient& client, Error outcome) { of(client).opened(outcome); });
  if (!opening) finish(opening.error(), "no address to connect to");
}

void HttpFetch::opened(Error error) {
  if (error != Error::none) return finish(error, client_->failure_reason());
  http_session::RequestHead head;
  head.method = options_.method;
  head.target = url_.target;
  head.host = url_.host_field;
  head.fields = &options_.fields;
  head.close = true;
  if (!options_.body.empty()) head.content_length = options_.body.size();
  HttpClient::Callbacks callbacks;
  callbacks.on_head = [](HttpClient& client, const http_parser::Response& response) {
    of(client).answered(response);
  };
  callbacks.on_body = [](HttpClient& client, std::string_view piece) { of(client).body_.append(piece); };
  callbacks.on_done = [](HttpClient& client, Error outcome) {
    of(client).finish(outcome, client.failure_reason());
  };
  auto asked = client_->request(head, callbacks);
  if (asked && !options_.body.empty()) asked = client_->write(options_.body);
  if (!asked) finish(asked.error(), "the request cannot be sent: " + std::string(message_of(asked.error())));
}

void HttpFetch::answered(const http_parser::Response& response) {
  status_ = response.status;
  for (std::size_t i = 0; i < response.fields->size(); ++i) {
    const http_parser::Header header = (*response.fields)[i];
    headers_.emplace_back(header.name, header.value);
  }
}

// Once; what the closing connection still reports has been said.
void HttpFetch::finish(Error error, std::string reason) {
  if (error_ != Error::none || (client_ && client_->is_closing())) return;
  error_ = error;
  failure_reason_ = std::move(reason);
  if (!client_) return std::exchange(callback_, nullptr)(*this, error_);
  client_->close([](HttpClient& client) {
    HttpFetch& self = of(client);
    self.client_.reset();
    std::exchange(self.callback_, nullptr)(self, self.error_);
  });
}

std::optional<std::string_view> HttpFetch::header(std::string_view name) const {
  for (const auto& [key, value] : headers_) {
    if (http_parser::syntax::equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

}  // namespace refloop
