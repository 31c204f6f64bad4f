#pragma once
// Predicates over everything a loop called back, fed one record at a time. The rule files of
// conformance/rules/generic name them. Phase and iteration are what the loop says of itself; where an effect
// can be judged instead (who overtook whom, which request never came back), it is.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/time.h"

namespace tickmark::conformance {

enum class LoopEvent { schedule, begin, end, complete };

/// One record of a background trace; a `call` arrives as begin and end.
struct LoopRecord {
  LoopEvent event = LoopEvent::schedule;
  std::string_view kind;  ///< cause: node_timeout, tick, pool ...
  std::string_view phase;
  uint64_t id = 0;  ///< of one submission; 0 = without identity
  uint64_t iteration = 0;
  uint64_t group = 0;  ///< timeouts: their duration in ms; 0 = none
  uint64_t count = 1;  ///< callbacks a record stands for
  Nanos time{0};
  Nanos loop_now{0};
  Nanos due{-1};  ///< timers only
  int64_t thread = 0;
};

class GenericRule {
 public:
  virtual ~GenericRule() = default;
  /// The record's texts live until the call returns.
  virtual void see(const LoopRecord& record) = 0;
  /// The trace is over.
  virtual void finish() {}

  unsigned long applicable() const { return applicable_; }
  unsigned long failed() const { return failed_; }
  const std::string& first_failure() const { return first_failure_; }

 protected:
  void applies(uint64_t times = 1) { applicable_ += times; }
  void fail(std::string why) {
    if (failed_++ == 0) first_failure_ = std::move(why);
  }

 private:
  unsigned long applicable_ = 0;
  unsigned long failed_ = 0;
  std::string first_failure_;
};

bool is_generic_predicate(std::string_view name);
/// Null when there is none of that name.
std::unique_ptr<GenericRule> make_generic_rule(std::string_view name);

}  // namespace tickmark::conformance
