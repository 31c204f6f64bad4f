#pragma once
// The part of a lane that knows neither sockets nor clocks: which arrival goes to which connection, what may
// be sent, and what is recorded of it. Times come in as arguments, so that a test can drive it with made-up
// ones and compare every latency with theory (lane_core_test.cpp does, with the Lindley recursion).
//
// Definitions, binding for every number of a lane:
//  * intended time: open loop, the time of the schedule; closed loop, the time of the actual send, so that a
//    request belongs to the window in which it is sent; first message of a storm, its connect() call.
//  * measured: intended time in [window start, window end). Counts and histograms are of measured requests.
//  * response time: intended -> last byte of the correct reply seen. Service time: actual send -> the same.
//  * every measured request ends in exactly one of completed (correct reply before the drain's end), errors
//    (wrong reply, or its connection was lost after the send), timeouts (intended + timeout passed without a
//    reply, sent or not), in_flight (sent, neither answered nor timed out at the drain's end), unsent.
//  * wait before the send, exactly split in two: connection_wait = the time until its connection could take
//  it
//    (reply to the one before, connected, room in the socket buffer), which is the subject's; lateness = the
//    rest, which is the generator's.
//  * censored: lower bounds of the response times of timeouts (the timeout), in_flight and unsent (their age
//    at the drain's end). Errors are in no histogram; they are counted.

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/load/load.h"
#include "harness/load/request_book.h"
#include "harness/load/schedule.h"
#include "harness/stats/little.h"
#include "harness/stats/series.h"

namespace tickmark::load {

/// HTTP: one request outstanding per connection. Streams: as many as fall due.
enum class Discipline { kOneAtATime, kPipelined };

class LaneCore {
 public:
  struct Setup {
    int connections = 1;
    Discipline discipline = Discipline::kOneAtATime;
    Arrivals arrivals = Arrivals::kClosed;
    double rate_per_s = 0;
    Nanos request_timeout = 5s;
    uint64_t seed = 1;
    std::vector<RequestRecord>* records = nullptr;  ///< see LoadConfig
  };
  explicit LaneCore(const Setup& setup);

  // Phases, in this order.
  void start_warmup(Nanos start, Nanos end);  ///< open loop: arrivals, nothing is measured
  void start_window(Nanos start,
                    Nanos end);  ///< measured arrivals begin at `start`, the last is before `end`
  /// What is known at the window's end: never served, oldest unanswered. Before the planned end: the window
  /// is cut short (interrupted). All arrivals due before must have been taken.
  void end_window(Nanos at);
  void end_drain(Nanos at);  ///< whatever is open is in_flight or unsent

  // Arrivals.
  Nanos next_due() const { return schedule_.at(); }                    ///< Nanos::max() when none is to come
  uint32_t next_connection() const { return schedule_.connection(); }  ///< of that one
  uint32_t arrive();  ///< the next scheduled one joins its line; its connection
  /// One outside the schedule: closed loop, first round trip. Intended times of a lane never decrease.
  void arrive_at(uint32_t connection, Nanos at);

  // Sending. A connection's waiting requests leave in line.
  bool may_send(uint32_t connection) const {
    return !book_.waiting(connection).empty() &&
           (setup_.discipline == Discipline::kPipelined || book_.outstanding(connection).empty());
  }
  bool idle(uint32_t connection) const {
    return book_.waiting(connection).empty() && book_.outstanding(connection).empty();
  }
  RequestIndex first_waiting(uint32_t connection) const { return book_.waiting(connection).front; }
  const Request& request(RequestIndex i) const { return book_[i]; }
  void sent(uint32_t connection, Nanos at);  ///< the first waiting one began to leave at `at`
  /// The connection could not take anything before `at` (not connected, or its socket buffer was full).
  void free_since(uint32_t connection, Nanos at) { free_since_[connection] = at; }

  // Ends.
  bool awaits_reply(uint32_t connection) const { return !book_.outstanding(connection).empty(); }
  const Request& awaited(uint32_t connection) const { return book_[book_.outstanding(connection).front]; }
  const Request& last_sent(uint32_t connection) const { return book_[book_.outstanding(connection).back]; }
  void completed(uint32_t connection, Nanos at);
  void wrong(uint32_t connection, Nanos at);  ///< a reply came and is not the correct one
  /// Everything sent and unanswered on it is an error. How many that were, without those given up before.
  int lost(uint32_t connection, Nanos at);
  Nanos next_timeout() const;  ///< Nanos::max() when nothing is open
  /// Counts the oldest request as timed out; next_timeout() must have come. True: it was sent, so that
  /// `connection` still owes a reply.
  bool expire_oldest(Nanos at, uint32_t& connection);

  int served_count() const { return served_count_; }  ///< connections with at least one correct reply
  bool served(uint32_t connection) const { return served_[connection]; }
  bool all_measured_ended() const { return measured_open_ == 0; }
  uint64_t wrong_replies() const { return report_.wrong_replies; }
  uint64_t answered() const { return answered_; }  ///< correct replies so far, measured or not

  /// Counts, histograms, series and rates of the lane; complete after end_drain().
  LaneReport report() const;
  const stats::Histogram& lateness() const { return lateness_; }
  uint64_t sends_late() const { return sends_late_; }  ///< by more than kLateSend
  /// The rows of Little's law, sent -> ended, to be compared with an integrator that counts events.
  const stats::LatencyLedger& ledger() const { return *ledger_; }

 private:
  enum class End { kCompleted, kError, kTimeout };
  void end(const Request& r, End how, Nanos at);
  stats::ArrivalSchedule::Options arrivals(uint64_t seed) const;
  bool in_window(Nanos t) const { return t >= window_.start && t < window_.end; }

  Setup setup_;
  Schedule schedule_;
  RequestBook book_;
  std::vector<Nanos> free_since_;
  std::vector<bool> served_;
  int served_count_ = 0;
  uint64_t next_number_ = 0;
  uint64_t answered_ = 0;
  uint64_t answered_in_window_ = 0;
  uint64_t measured_open_ = 0;
  stats::Window window_;
  Nanos planned_end_{0};  // of the window; the books of Little's law are kept to here even if it is cut short
  std::optional<stats::TimeSeries> series_;
  std::optional<stats::LatencyLedger> ledger_;
  LaneReport report_;
  stats::Histogram lateness_;
  uint64_t sends_late_ = 0;
};

/// A send this much behind its due time is published as late.
inline constexpr Nanos kLateSend = 100us;

}  // namespace tickmark::load
