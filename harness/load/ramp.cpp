// The orderly ramp: connects at a bounded rate, never more unanswered connections than the smallest common
// listen backlog holds, until every connection has made one verified round trip. So the clock starts on a
// subject that serves all of them, and the ramp itself is no storm.

#include <algorithm>
#include <fmt/core.h>

#include "harness/load/generator.h"

namespace tickmark::load {
namespace {

// listen(…, 128) is the smallest backlog in common use; beyond it the kernel drops SYNs and the client
// retries after a second, which would time the kernel's patience instead of the subject.
constexpr int kUnansweredMax = 100;
constexpr Nanos kLook = 5ms;

}  // namespace

int Generator::served() const {
  int sum = 0;
  for (const auto& lane : lanes_) sum += lane->core().served_count();
  return sum;
}

Expected<void> Generator::ramp() {
  Nanos begin = now();
  Nanos deadline = begin + config_.ramp_deadline;
  int launched = 0;
  size_t lane = 0;
  int next_in_lane = 0;
  while (served() < connections_) {
    Nanos at = now();
    report_.failure = ramp_failure();
    if (report_.failure.empty() && at >= deadline) {
      report_.failure = fmt::format("only {} of {} connections were answered within {:.1f} s of the ramp",
                                    served(), connections_, seconds(config_.ramp_deadline));
    }
    for (const auto& l : lanes_) {
      if (!l->environment_fault().empty()) return environment_error(l->environment_fault());
      if (l->refused()) {
        return environment_error(
            fmt::format("connection to {}:{} refused: start a server there, or name its port",
                        config_.address, config_.port));
      }
    }
    if (!report_.failure.empty() || report_.interrupted) return {};
    double allowed = std::min<double>(connections_, seconds(at - begin) * config_.ramp_per_s + 1);
    Nanos until = std::min(deadline, at + kLook);
    if (launched < connections_ && launched - served() < kUnansweredMax) {
      if (launched < static_cast<int>(allowed)) {
        lanes_[lane]->connect_first(static_cast<uint32_t>(next_in_lane), Scenario::kOrderly, now());
        ++launched;
        if (++next_in_lane == lanes_[lane]->connections()) ++lane, next_in_lane = 0;
        until = at;
      } else {
        until = std::min(until, begin + from_seconds(launched / config_.ramp_per_s));
      }
    }
    turn(until);
  }
  report_.client.ramp_time = now() - begin;
  return {};
}

std::string Generator::ramp_failure() {
  for (const auto& lane : lanes_) {
    if (lane->wrong_replies() == 0) continue;
    return fmt::format("a first round trip was answered wrongly ({} of {} connections were served): {}",
                       served(), connections_, lane->wrong_reply());
  }
  return "";
}

}  // namespace tickmark::load
