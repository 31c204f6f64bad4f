#pragma once
// What subject_main gives to an architecture that serves: the parsed request, the service half behind a
// factory of sessions, the two lines of the contract on stdout, and the news that it is time to stop.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/subject/reply_headers.h"
#include "harness/subject/stop_watcher.h"
#include "harness/vocabulary/service.h"
#include "harness/vocabulary/subject.h"

namespace tickmark::subject {

/// `serve`, parsed; options have their defaults.
struct ServeRequest {
  std::string workload;
  Parameters options;
  Parameters params;
  std::string address = "127.0.0.1";
  uint16_t port = 0;
};

/// What the final line says: only what was counted.
struct Final {
  std::map<std::string, uint64_t> counters;
};

class ServeContext {
 public:
  /// Makes the service half of the request's workload. Reads the options `headers` (lean or common) and
  /// `slowdown` (see slowdown.h) where the subject has them. Usage error: unknown workload, parameter or
  /// value.
  static Expected<std::unique_ptr<ServeContext>> create(const ServeRequest& request);

  const ServeRequest& request() const { return request_; }

  /// A value of the subject's own options; the key must be one of its description.
  const std::string& option(std::string_view key) const;
  /// The same as a whole number within [least, most]; otherwise a usage error that names it.
  Expected<int> option_number(std::string_view key, int least, int most) const;
  /// The same as one of the words; otherwise a usage error that names them.
  Expected<std::string> option_word(std::string_view key,
                                    std::initializer_list<std::string_view> words) const;

  /// The service half of one new connection, which is counted. `connection` is borrowed. Thread-safe.
  std::unique_ptr<Session> open(Connection& connection);

  /// Prints the ready line: from now on clients come. `workers`: processes or loops that serve. `chosen`:
  /// what an option's value `auto` has become.
  void ready(uint16_t port, int workers = 1, const Parameters& chosen = {});

  /// Calls `stop` once, on a thread of its own, when stdin closes or SIGTERM comes; may be called for a
  /// loop that is not yet running, must only wake it. Call after every fork. If serve() has not returned
  /// in time, a final line without counters is printed and the process exits 0 all the same.
  void on_stop(std::function<void()> stop);

  /// Joins that thread. Call before what `stop` wakes is destroyed; without it the context's end does so.
  void end_watch() { watcher_.reset(); }

  /// What the sessions counted; those still open have not added theirs.
  Final final() const;
  /// Prints the final line; later calls do nothing.
  void print_final(const Final& final);

 private:
  ServeContext() = default;

  ServeRequest request_;
  Service service_;
  ReplyHeaders headers_ = ReplyHeaders::kLean;
  std::atomic<uint64_t> connections_{0}, requests_{0}, bytes_{0};
  std::atomic<bool> final_printed_{false};
  std::unique_ptr<StopWatcher> watcher_;
};

}  // namespace tickmark::subject
