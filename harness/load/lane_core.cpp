#include "harness/load/lane_core.h"

#include <algorithm>
#include <cassert>

#include "harness/stats/ruler_mutant.h"

namespace tickmark::load {
namespace {

using stats::is_ruler_mutant;
using stats::RulerMutant;

// Different streams for warm-up and window: the measured arrivals do not depend on the warm-up's length.
constexpr uint64_t kWarmupStream = 0x77617266;
constexpr Nanos kSeriesWidth = 100ms;
constexpr int64_t kSeriesPointsMax = 1000;

size_t expected_open(int connections) {
  return std::max<size_t>(static_cast<size_t>(connections) * 4, 1 << 14);
}

}  // namespace

LaneCore::LaneCore(const Setup& setup)
    : setup_(setup),
      book_(setup.connections, expected_open(setup.connections)),
      free_since_(static_cast<size_t>(setup.connections)),
      served_(static_cast<size_t>(setup.connections)) {}

stats::ArrivalSchedule::Options LaneCore::arrivals(uint64_t seed) const {
  return {.process = setup_.arrivals == Arrivals::kConstant ? stats::ArrivalProcess::kConstant
                                                            : stats::ArrivalProcess::kPoisson,
          .rate_per_s = setup_.rate_per_s,
          .connections = static_cast<uint32_t>(setup_.connections),
          .choice = stats::ConnectionChoice::kUniform,
          .seed = seed};
}

void LaneCore::start_warmup(Nanos start, Nanos end) {
  if (setup_.arrivals == Arrivals::kClosed) return;
  schedule_.start(arrivals(setup_.seed ^ kWarmupStream), start, end);
}

void LaneCore::start_window(Nanos start, Nanos end) {
  assert(start < end);
  window_ = {start, end};
  planned_end_ = end;
  series_.emplace(start, end - start, std::max(kSeriesWidth, (end - start) / kSeriesPointsMax));
  ledger_.emplace(window_);
  if (setup_.arrivals != Arrivals::kClosed) schedule_.start(arrivals(setup_.seed), start, end);
}

uint32_t LaneCore::arrive() {
  uint32_t connection = schedule_.connection();
  Nanos at = schedule_.at();
  schedule_.advance();
  arrive_at(connection, at);
  return connection;
}

void LaneCore::arrive_at(uint32_t connection, Nanos at) {
  if (is_ruler_mutant(RulerMutant::drops_late_arrivals) && !idle(connection)) return;
  bool measured = in_window(at);
  book_.add(connection, next_number_++, at, measured);
  if (measured) {
    ++report_.counts.scheduled;
    ++measured_open_;
  }
}

void LaneCore::sent(uint32_t connection, Nanos at) {
  const Request& r = book_[book_.send_front(connection, at)];
  if (!r.measured || setup_.arrivals == Arrivals::kClosed) return;
  Nanos could = std::max(r.intended, free_since_[connection]);
  report_.connection_wait.record(could - r.intended);
  lateness_.record(at - could);
  sends_late_ += at - could > kLateSend;
}

/// One request has ended. A given-up one ended when it timed out.
void LaneCore::end(const Request& r, End how, Nanos at) {
  if (r.given_up) return;
  if (ledger_ && r.sent != Nanos::min()) ledger_->ended(r.sent, at);
  if (!r.measured) return;
  --measured_open_;
  if (how == End::kCompleted) {
    ++report_.counts.completed;
    report_.response_time.record(at -
                                 (is_ruler_mutant(RulerMutant::stamps_at_the_send) ? r.sent : r.intended));
    report_.service_time.record(at - r.sent);
    series_->record(r.intended, at - r.intended);
    if (setup_.records) setup_.records->push_back({r.number, r.intended, r.sent, at});
    return;
  }
  ++(how == End::kError ? report_.counts.errors : report_.counts.timeouts);
  series_->record_error(r.intended);
  if (how == End::kTimeout) report_.censored.record(setup_.request_timeout);
}

void LaneCore::completed(uint32_t connection, Nanos at) {
  end(awaited(connection), End::kCompleted, at);
  book_.end_outstanding(connection);
  ++answered_;
  answered_in_window_ += in_window(at);
  if (!served_[connection]) {
    served_[connection] = true;
    ++served_count_;
  }
  if (setup_.discipline == Discipline::kOneAtATime) free_since_[connection] = at;
}

void LaneCore::wrong(uint32_t connection, Nanos at) {
  ++report_.wrong_replies;
  end(awaited(connection), End::kError, at);
  book_.end_outstanding(connection);
  if (setup_.discipline == Discipline::kOneAtATime) free_since_[connection] = at;
}

int LaneCore::lost(uint32_t connection, Nanos at) {
  int count = 0;
  while (awaits_reply(connection)) {
    count += !awaited(connection).given_up;
    end(awaited(connection), End::kError, at);
    book_.end_outstanding(connection);
  }
  return count;
}

Nanos LaneCore::next_timeout() const {
  RequestIndex oldest = book_.oldest();
  return oldest == kNoRequest ? Nanos::max() : book_[oldest].intended + setup_.request_timeout;
}

bool LaneCore::expire_oldest(Nanos at, uint32_t& connection) {
  assert(next_timeout() <= at);
  RequestIndex oldest = book_.oldest();
  connection = book_[oldest].connection;
  end(book_[oldest], End::kTimeout, at);
  // The oldest of the lane is the oldest of its line, so a waiting one stands at the front.
  if (book_.waiting(connection).front == oldest) {
    book_.end_waiting(connection);
    return false;
  }
  book_.give_up(oldest);
  return true;
}

void LaneCore::end_window(Nanos at) {
  schedule_.stop();
  window_.end = std::min(window_.end, std::max(at, window_.start + Nanos{1}));
  report_.connections_never_served = static_cast<uint64_t>(setup_.connections - served_count_);
  RequestIndex oldest = book_.oldest();
  if (oldest != kNoRequest) report_.oldest_unanswered = std::max(at - book_[oldest].intended, Nanos{0});
  if (report_.counts.timeouts > 0) {
    report_.oldest_unanswered = std::max(report_.oldest_unanswered, setup_.request_timeout);
  }
}

void LaneCore::end_drain(Nanos at) {
  for (RequestIndex i = book_.oldest(); i != kNoRequest; i = book_[i].newer) {
    const Request& r = book_[i];
    bool waiting = r.sent == Nanos::min();
    if (!waiting) ledger_->unfinished(r.sent, std::max(at, planned_end_));
    if (!r.measured) continue;
    ++(waiting ? report_.counts.unsent : report_.counts.in_flight);
    report_.censored.record(at - r.intended);
    --measured_open_;
  }
  const Counts& c = report_.counts;
  assert(c.scheduled == c.completed + c.errors + c.timeouts + c.in_flight + c.unsent);
  assert(measured_open_ == 0);
}

LaneReport LaneCore::report() const {
  LaneReport out = report_;
  out.connections_requested = setup_.connections;
  if (setup_.arrivals != Arrivals::kClosed) out.offered_rate_per_s = setup_.rate_per_s;
  if (series_) out.stationarity = stats::stationarity(*series_);
  double window = seconds(window_.length());
  if (window > 0) {
    out.achieved_rate_per_s = static_cast<double>(answered_in_window_) / window;
    out.scheduled_rate_per_s = static_cast<double>(report_.counts.scheduled) / window;
  }
  for (size_t i = 0; series_ && i < series_->points().size(); ++i) {
    const stats::TimeSeries::Point& p = series_->points()[i];
    out.series.push_back({.start = series_->width() * static_cast<int64_t>(i),
                          .completed = p.completed,
                          .errors = p.errors,
                          .latency_p50 = series_->quantile(i, i + 1, 0.50).value_or(Nanos{0}),
                          .latency_p99 = series_->quantile(i, i + 1, 0.99).value_or(Nanos{0}),
                          .latency_max = p.max});
  }
  return out;
}

}  // namespace tickmark::load
