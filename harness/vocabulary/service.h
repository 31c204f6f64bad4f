#pragma once
// The service half of a workload: what is answered. It knows nothing of sockets, threads or loops; it
// answers with actions, and the architecture decides where they run.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/vocabulary/work.h"

namespace tickmark {

/// `--param k=v` pairs of a workload, and `--option k=v` pairs of a subject.
using Parameters = std::map<std::string, std::string>;

/// One accepted connection, as an architecture offers it. Used only on the connection's own execution
/// context (loop thread, connection thread).
class Connection {
 public:
  using Then = std::move_only_function<void(WorkOutcome)>;

  virtual ~Connection() = default;

  /// Sends bytes in order. Borrowed: the architecture copies what it cannot send at once. Ignored after
  /// close().
  virtual void send(std::string_view bytes) = 0;
  /// Closes after everything sent has left. Further input is ignored.
  virtual void close() = 0;
  /// The session holds as much unfinished work as it will (false), or can take more again (true). An
  /// architecture that goes on reading costs memory, nothing else.
  virtual void want_input(bool wanted) { (void)wanted; }
  /// Given to send(), and not taken by the system yet. 0 of an architecture that does not know, or whose
  /// send() waits; all others call Session::on_drained() when it has come back to 0.
  virtual size_t unsent_bytes() const { return 0; }
  /// Runs blocking or heavy work wherever the architecture runs such work; `then` runs later on the
  /// connection's context (or at once, in an architecture that works in place). The architecture keeps
  /// the connection's Session alive until `then` has run, even if the peer is gone.
  virtual void offload(Work work, Then then) = 0;
};

/// The service half of one connection; owned by the architecture, destroyed after its last callback.
class Session {
 public:
  virtual ~Session() = default;
  /// Bytes arrived (borrowed until it returns).
  virtual void on_bytes(std::string_view bytes) = 0;
  /// The peer has half-closed; what is owed may still be sent. The default closes.
  virtual void on_end() = 0;
  /// Connection::unsent_bytes() has come back to 0.
  virtual void on_drained() {}
};

/// A parsed HTTP request. Views are valid until the handler returns.
struct HttpRequest {
  std::string_view method;
  std::string_view path;   ///< before '?'
  std::string_view query;  ///< after '?', undecoded
  std::string_view body;
};

/// One HTTP exchange; lives until it has been replied to.
class Exchange {
 public:
  using Then = std::move_only_function<void(Exchange&, WorkOutcome)>;

  virtual ~Exchange() = default;
  /// Answers once, with Content-Length and no header beyond it that the subject's options do not ask for;
  /// pipelined replies leave in request order.
  virtual void reply(int status, std::string_view body) = 0;
  /// See Connection::offload.
  virtual void offload(Work work, Then then) = 0;
  /// Deliberately on the connection's own execution context: how one slow callback hurts everybody else
  /// is a thing we measure.
  virtual void inline_work(const Work& work, Then then) = 0;
};

/// Service half of an HTTP workload. One per process, shared by all connections and threads: const.
class HttpService {
 public:
  virtual ~HttpService() = default;
  virtual void on_request(const HttpRequest& request, Exchange& exchange) const = 0;
};

/// Service half of a byte-stream workload. One per process, shared by all connections and threads: const.
class StreamService {
 public:
  virtual ~StreamService() = default;
  virtual void on_bytes(Connection& connection, std::string_view bytes) const = 0;
  virtual void on_end(Connection& connection) const { connection.close(); }
};

/// What a workload's service.cpp makes: exactly one of the two is set.
struct Service {
  std::unique_ptr<HttpService> http;
  std::unique_ptr<StreamService> stream;
};

}  // namespace tickmark
