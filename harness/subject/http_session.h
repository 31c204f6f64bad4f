#pragma once
// An HTTP workload's service half on the HTTP layer all our own architectures share: http_session speaks the
// protocol, this collects each request whole and passes it on. Sans-I/O: it speaks to a Connection, so tests
// give it a fake one. An idle connection owns nothing but this object.

#include <atomic>
#include <cstdint>
#include <limits>

#include "harness/vocabulary/service.h"
#include "reference-loop/http_session/server_session.h"

namespace tickmark::subject {

/// No header beyond Content-Length. Pipelines without limit: a Connection cannot be told to stop reading, nor
/// when to start again.
inline constexpr http_session::ServerSettings kPlainHttp{
    .limits = {},
    .exchanges_max = std::numeric_limits<size_t>::max(),
    .unsent_bytes_max = std::numeric_limits<size_t>::max(),
    .with_date = false};

class HttpSession final : public Session, private http_session::ServerSession {
 public:
  /// `service`, `connection` and `settings` are borrowed and must outlive the session; `requests`, if any,
  /// gets the number of replies added when the session ends (not per reply: it is shared by all threads).
  HttpSession(const HttpService& service, Connection& connection, std::atomic<uint64_t>* requests = nullptr,
              const http_session::ServerSettings& settings = kPlainHttp)
      : ServerSession(settings), service_(service), connection_(connection), requests_(requests) {}
  ~HttpSession() override;

  void on_bytes(std::string_view bytes) override { receive(bytes); }
  void on_end() override { receive_end(); }

 private:
  class CollectedExchange;

  void send(std::string_view bytes) override { connection_.send(bytes); }
  size_t unsent_bytes() const override { return 0; }  // a Connection does not say
  void close() override { connection_.close(); }
  void input_wanted(bool) override {}
  http_session::ServerExchange& acquire() override;
  void release(http_session::ServerExchange& exchange) override;

  const HttpService& service_;
  Connection& connection_;
  std::atomic<uint64_t>* requests_;
};

}  // namespace tickmark::subject
