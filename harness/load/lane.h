#pragma once
// One lane at work: its connections, and the moving of bytes between them and the socket-free LaneCore.
//
// Stamps: one clock read before each send call (all messages of one call share it: they leave together) and
// one after each receive call (all replies found in it share it: they were seen together).

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/unique_fd.h"
#include "harness/load/lane_core.h"
#include "harness/load/poller.h"
#include "harness/load/protocol.h"
#include "harness/load/sources.h"
#include "harness/stats/little.h"

namespace tickmark::load {

/// Buffers shared by all lanes: one thread, so one of each.
struct Buffers {
  static constexpr size_t kReceiveBytes = size_t{256} * 1024;
  static constexpr size_t kSendBytes = size_t{64} * 1024;
  std::vector<char> receive = std::vector<char>(kReceiveBytes);
  std::vector<char> send = std::vector<char>(kSendBytes);
};

class Lane {
 public:
  /// All borrowed, and must outlive the lane. `index` tells lanes apart in the poller's keys.
  Lane(const LaneConfig& config, const LoadConfig& load, uint32_t index, Poller& poller, Sources& sources,
       Buffers& buffers);

  int connections() const { return static_cast<int>(links_.size()); }
  LaneCore& core() { return core_; }
  const LaneCore& core() const { return core_; }
  bool closed_loop() const { return closed_loop_; }

  /// First connect of connection `i`, at `at`. Orderly: its ready round trip is sent once it is established.
  /// Storm: its first message is due at once; every arrival due before must have joined its line.
  void connect_first(uint32_t i, Scenario scenario, Nanos at);
  /// Closed loop: from now on every reply is followed by the next request; false: no more.
  void follow_up(bool on) { follow_up_ = on && closed_loop_; }
  /// Closed loop: makes connection `i` send its next request if it owes none.
  void kick(uint32_t i, Nanos at);

  void start_warmup(Nanos start, Nanos end);
  void start_window(Nanos start, Nanos end);
  void on_event(uint32_t link, uint32_t events);
  /// Joins arrivals due at or before `at` to their lines, oldest first and at most `limit`, and sends what
  /// may be sent.
  void issue_due(Nanos at, int limit);
  void maintain();            ///< time-outs and reconnects that have come
  Nanos next_action() const;  ///< the next time issue_due or maintain have work
  void close_all();           ///< with RST; after the measured part

  LaneReport report();
  /// The very first connect was refused: nothing listens there.
  bool refused() const { return refused_; }
  uint64_t wrong_replies() const { return core_.wrong_replies() + unasked_; }
  const std::string& wrong_reply() const { return wrong_reply_; }  ///< the first one; "" if none
  const std::string& environment_fault() const {
    return environment_fault_;
  }  ///< "" or why no socket was to be had

 private:
  enum class State : uint8_t { kClosed, kConnecting, kOpen };
  struct Link {
    UniqueFd fd;
    State state = State::kClosed;
    bool blocked = false;  // its socket buffer is full
    bool ever_open = false;
    size_t partial = 0;  // bytes of the last sent request that have left; 0: all
    Nanos connect_began{0};
    Nanos retry_after{0};  // doubles while connects fail
  };
  struct Retry {
    Nanos at;
    uint32_t link;
  };

  void connect(uint32_t i, Nanos at);
  void on_connected(uint32_t i);
  void connect_failed(uint32_t i, int error);
  void pump(uint32_t i);
  bool send_rest(uint32_t i);
  bool send_one(uint32_t i);
  bool send_batch(uint32_t i);
  ssize_t write(uint32_t i, const char* data, size_t size);
  void mark_sent(uint32_t i, Nanos at);
  void receive(uint32_t i, uint32_t events);
  bool consume(uint32_t i, std::string_view bytes, Nanos at);
  bool on_reply(uint32_t i, const Request& r, Protocol::Outcome outcome, Nanos at);
  void note_wrong(std::string text);
  void drop(uint32_t i, bool by_subject);
  void retry_later(uint32_t i, Nanos at);
  void in_flight(Nanos at, int64_t change) {
    in_flight_ += change;
    if (integrator_) integrator_->add(at, change);
  }

  LaneCore core_;
  std::unique_ptr<Protocol> protocol_;
  std::vector<Link> links_;
  std::deque<Retry> retries_;
  Poller& poller_;
  Sources& sources_;
  Buffers& buffers_;
  std::string name_;
  uint16_t port_;  // 0: the load's
  uint64_t key_;   // upper half of the poller's keys
  bool closed_loop_;
  bool follow_up_ = false;
  bool ramping_ = false;  // an unserved connection asks again on its own
  bool refused_ = false;
  std::string environment_fault_;
  int64_t in_flight_ = 0;
  std::optional<stats::InFlightIntegrator> integrator_;
  stats::Histogram connect_time_;
  uint64_t established_ = 0, lost_ = 0, reconnects_ = 0, unasked_ = 0;
  uint64_t bytes_sent_ = 0, bytes_received_ = 0, head_bytes_ = 0, body_bytes_ = 0, heads_ = 0;
  std::string wrong_reply_;
};

}  // namespace tickmark::load
