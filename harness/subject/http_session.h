#pragma once
// The HTTP layer all our own architectures share: bytes in, replies out, in request order even where
// offloaded work finishes out of order. Sans-I/O: it speaks to a Connection, so tests give it a fake one.
//
// Memory: an idle connection owns nothing but this object. The parser is lent by the thread and kept only
// while a request has arrived in part.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "harness/vocabulary/service.h"
#include "reference-loop/http_parser/parser.h"

namespace tickmark::subject {

class HttpSession final : public Session {
 public:
  /// `service` and `connection` are borrowed and must outlive the session; `requests`, if any, gets the
  /// number of replies added when the session ends (not per reply: it is shared by all threads).
  HttpSession(const HttpService& service, Connection& connection, std::atomic<uint64_t>* requests = nullptr)
      : service_(service), connection_(connection), requests_(requests) {}
  ~HttpSession() override;

  void on_bytes(std::string_view bytes) override;
  void on_end() override;

 private:
  class PendingExchange;
  class Batch;

  void begin(const http_parser::Request& request);
  void refuse(const http_parser::Refusal& refusal);
  PendingExchange& append_exchange();
  void owe_continue();
  void finish(PendingExchange& exchange, int status, std::string_view body);
  void write(const PendingExchange& exchange, int status, std::string_view body);
  void pop_front();
  void flush();

  const HttpService& service_;
  Connection& connection_;
  std::atomic<uint64_t>* requests_;
  std::unique_ptr<http_parser::RequestParser> partial_;  ///< while a request has arrived in part
  std::string* output_ = nullptr;                        ///< while a batch is open: what it will send
  PendingExchange* front_ = nullptr;                     ///< requests not yet answered, in order
  PendingExchange* back_ = nullptr;
  uint64_t replies_ = 0;
  bool input_over_ = false;  ///< nothing more will be read: the peer ended, asked to close, or was refused
  bool continued_ = false;   ///< the current request's "100 Continue" is sent or owed
  bool continue_owed_ = false;
  bool closed_ = false;
};

}  // namespace tickmark::subject
