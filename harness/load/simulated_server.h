#pragma once
// A server in made-up time for the tests of the generator's core: one line, some workers, and a stop of the
// whole world if asked for. It says when a request that arrives now will be answered.

#include <algorithm>
#include <queue>
#include <vector>

#include "harness/load/lane_core.h"

namespace tickmark::load {

class SimulatedServer {
 public:
  explicit SimulatedServer(int workers) {
    for (int i = 0; i < workers; ++i) free_.push(Nanos{0});
  }
  /// Nothing begins between the two; what has begun ends as if nothing were.
  void stop(Nanos from, Nanos until) { stop_from_ = from, stop_until_ = until; }

  /// Requests must come in order of time.
  Nanos answer(Nanos arrival, Nanos service) {
    Nanos begins = std::max(arrival, free_.top());
    free_.pop();
    if (begins >= stop_from_ && begins < stop_until_) begins = stop_until_;
    free_.push(begins + service);
    return begins + service;
  }

 private:
  std::priority_queue<Nanos, std::vector<Nanos>, std::greater<>> free_;  // when each worker is
  Nanos stop_from_{0}, stop_until_{0};
};

/// Drives the core through a window from `start` in which `server` answers; `service()` is drawn per request.
/// Every request is sent the moment it falls due.
template <typename Service>
void drive(LaneCore& core, SimulatedServer& server, Nanos start, Nanos window, Service service) {
  struct Reply {
    Nanos at;
    uint32_t connection;
    bool operator>(const Reply& other) const { return at > other.at; }
  };
  std::priority_queue<Reply, std::vector<Reply>, std::greater<>> replies;
  core.start_window(start, start + window);
  const auto take_reply = [&] {
    core.completed(replies.top().connection, replies.top().at);
    replies.pop();
  };
  while (core.next_due() != Nanos::max()) {
    const Nanos due = core.next_due();
    while (!replies.empty() && replies.top().at <= due) take_reply();
    const uint32_t connection = core.arrive();
    core.sent(connection, due);
    replies.push({server.answer(due, service()), connection});
  }
  while (!replies.empty() && replies.top().at < start + window) take_reply();
  core.end_window(start + window);
  while (!replies.empty()) take_reply();
  core.end_drain(start + window + 1000s);
}

}  // namespace tickmark::load
