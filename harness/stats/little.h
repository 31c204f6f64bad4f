#pragma once
// Little's law as a check of the generator's own bookkeeping: the number of requests in flight, counted
// event by event, against the latencies, stamped request by request. Two books kept by different
// code must tell the same story, or the trial is INVALID.
//
// The identity, for a window [w0, w1] and requests i in flight during [b_i, e_i]:
//
//     integral over [w0, w1] of N(t) dt  =  sum over i of | [b_i, e_i] intersected with [w0, w1] |
//
// It is exact: both sides count the same area, once by columns and once by rows (Little 1961; Stidham 1974
// for the finite window). Divided by w1 - w0 the left side is the time-average in flight. On the right stands
// rate x mean latency of the requests ended inside the window, minus their parts before w0, plus the parts
// inside the window of requests that end after w1 or never. No edge is neglected, so the tolerance is for
// stamps taken a few instructions apart, not for theory.
//
// Sensitivity: a lost event at time t shifts the left side by w1 - t; it is seen in the area when that is
// more than 0.1 % of it, and always in the count of requests still in flight, which is compared as well.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "harness/base/time.h"

namespace tickmark::stats {

struct Window {
  Nanos start{};
  Nanos end{};
  Nanos length() const { return end - start; }
};

/// The left side. One per thread; times on one clock and not decreasing (asserted).
class InFlightIntegrator {
 public:
  explicit InFlightIntegrator(Window window) : window_(window), last_(Nanos::min()) {
    assert(window.start < window.end);
  }

  /// `change` requests entered (> 0) or left (< 0) the system at `now`, inside the window or not.
  void add(Nanos now, int64_t change) {
    advance(now);
    in_flight_ += change;  // below 0 after a lost beginning: a finding for check_little, not an abort
  }

  /// Time-average of the requests in flight over the window, the stretch after the last event included.
  /// Call when watching ends, at or after the window's end.
  double average() {
    advance(std::max(window_.end, last_));
    return static_cast<double>(area_) / static_cast<double>(window_.length().count());
  }

  int64_t in_flight() const { return in_flight_; }

 private:
  void advance(Nanos now) {
    assert(now >= last_);
    const Nanos from = std::clamp(last_, window_.start, window_.end);
    const Nanos to = std::clamp(now, window_.start, window_.end);
    area_ += static_cast<__int128>(in_flight_) * (to - from).count();
    last_ = now;
  }

  Window window_;
  Nanos last_;
  int64_t in_flight_ = 0;
  __int128 area_ = 0;  // request-nanoseconds
};

/// The right side. Every request that was ever in flight is told once, in any order.
class LatencyLedger {
 public:
  explicit LatencyLedger(Window window) : window_(window) { assert(window.start < window.end); }

  /// A request that ended - answered, failed or timed out - with its own two stamps.
  void ended(Nanos begin, Nanos end) { add(begin, end); }

  /// A request still in flight when watching ended at `watched_until` >= the window's end.
  void unfinished(Nanos begin, Nanos watched_until) {
    assert(watched_until >= window_.end);
    add(begin, watched_until);
    ++unfinished_;
  }

  /// Sum of the overlaps with the window / its length: what the time-average must be.
  double average() const {
    return static_cast<double>(overlap_) / static_cast<double>(window_.length().count());
  }

  int64_t unfinished_count() const { return unfinished_; }

 private:
  void add(Nanos begin, Nanos end) {
    assert(begin <= end);
    const Nanos from = std::max(begin, window_.start);
    const Nanos to = std::min(end, window_.end);
    if (from < to) overlap_ += (to - from).count();
  }

  Window window_;
  int64_t unfinished_ = 0;
  __int128 overlap_ = 0;
};

struct LittleCheck {
  double integrated_average = 0;  ///< requests in flight, from the events
  double ledger_average = 0;      ///< the same from the latencies
  double relative_error = 0;      ///< |difference| / the larger; 0 when both are 0
  bool counts_agree = false;      ///< both know of equally many unfinished requests

  static constexpr double kTolerance = 0.001;
  bool holds() const { return counts_agree && relative_error <= kTolerance; }
};

/// Both must have been made with the same window, and watching must have ended.
inline LittleCheck check_little(InFlightIntegrator& integrator, const LatencyLedger& ledger) {
  LittleCheck check;
  check.integrated_average = integrator.average();
  check.ledger_average = ledger.average();
  const double larger = std::max(std::abs(check.integrated_average), std::abs(check.ledger_average));
  if (larger > 0) check.relative_error = std::abs(check.integrated_average - check.ledger_average) / larger;
  check.counts_agree = integrator.in_flight() == ledger.unfinished_count();
  return check;
}

}  // namespace tickmark::stats
