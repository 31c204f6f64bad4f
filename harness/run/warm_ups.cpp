#include "harness/run/warm_ups.h"

#include <algorithm>

namespace tickmark::run {
namespace {

constexpr const char* kRuleOfValidity = "warm_up";

bool void_for_its_warm_up(const output::Json& trial) {
  const output::Json& latency = output::member(output::member(trial, "validity"), "latency");
  const output::Json& rules = output::list_at(latency, "rules");
  return std::ranges::find(rules, kRuleOfValidity) != rules.end();
}

}  // namespace

const char* WarmUps::rule() {
  return "A trial that is void because its warm-up was too short doubles the warm-up of its cell from the "
         "next "
         "block on, for all subjects, at most twice. Each trial records its own.";
}

Nanos WarmUps::of(const PlannedCell& cell) const {
  const auto found = doublings_.find(cell.id);
  return cell.warmup * (1 << (found == doublings_.end() ? 0 : found->second));
}

void WarmUps::learn(const output::Json& trial) {
  if (void_for_its_warm_up(trial)) too_short_.insert(output::text_at(trial, "cell"));
}

void WarmUps::end_block() {
  for (const std::string& cell : too_short_) {
    int& doublings = doublings_[cell];
    doublings = std::min(doublings + 1, kDoublingsMax);
  }
  too_short_.clear();
}

}  // namespace tickmark::run
