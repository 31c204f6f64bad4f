#pragma once
// The arrivals of one lane on the generator's clock, one ahead: stats::ArrivalSchedule is the seeded pure
// function, this adds where it starts and where it ends.

#include <cstdint>
#include <optional>

#include "harness/base/time.h"
#include "harness/stats/arrivals.h"

namespace tickmark::load {

class Schedule {
 public:
  /// No arrivals until start(), and none ever of a closed loop.
  void start(const stats::ArrivalSchedule::Options& options, Nanos origin, Nanos end) {
    source_.emplace(options);
    origin_ = origin;
    end_ = end;
    advance();
  }
  void stop() { at_ = Nanos::max(); }

  Nanos at() const { return at_; }  ///< of the next arrival; Nanos::max() when there is none before the end
  uint32_t connection() const { return connection_; }
  void advance() {
    stats::Arrival a = source_->next();
    at_ = origin_ + a.intended;
    if (at_ >= end_) at_ = Nanos::max();
    connection_ = a.connection;
  }

 private:
  std::optional<stats::ArrivalSchedule> source_;
  Nanos origin_{0}, end_{0};
  Nanos at_ = Nanos::max();
  uint32_t connection_ = 0;
};

}  // namespace tickmark::load
