#pragma once
// An HTTP workload's service half on the HTTP layer all our own architectures share: http_session speaks the
// protocol, this collects each request whole and passes it on. Sans-I/O: it speaks to a Connection, so tests
// give it a fake one. An idle connection owns nothing but this object.

#include <atomic>
#include <cstdint>

#include "harness/subject/reply_headers.h"
#include "harness/vocabulary/service.h"
#include "reference-loop/http_session/server_session.h"

namespace tickmark::subject {

class HttpSession final : public Session, private http_session::ServerSession {
 public:
  /// `service` and `connection` are borrowed and must outlive the session; `requests`, if any, gets the
  /// number of replies added when the session ends (not per reply: it is shared by all threads).
  HttpSession(const HttpService& service, Connection& connection, std::atomic<uint64_t>* requests = nullptr,
              ReplyHeaders headers = ReplyHeaders::kLean);
  ~HttpSession() override;

  void on_bytes(std::string_view bytes) override { receive(bytes); }
  void on_end() override { receive_end(); }
  void on_drained() override { drained(); }

 private:
  class CollectedExchange;

  void send(std::string_view bytes) override { connection_.send(bytes); }
  size_t unsent_bytes() const override { return connection_.unsent_bytes(); }
  void close() override { connection_.close(); }
  void input_wanted(bool wanted) override { connection_.want_input(wanted); }
  http_session::ServerExchange& acquire() override;
  void release(http_session::ServerExchange& exchange) override;

  const HttpService& service_;
  Connection& connection_;
  std::atomic<uint64_t>* requests_;
  const http_session::FieldBlock* fields_;  ///< of every reply; null: none
};

}  // namespace tickmark::subject
