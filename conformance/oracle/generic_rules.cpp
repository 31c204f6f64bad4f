#include "conformance/oracle/generic_rules.h"

#include <algorithm>
#include <array>

namespace tickmark::conformance {

bool is_generic_predicate(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kNames{
      "callbacks_never_overlap",  "phases_keep_their_cycle",       "timers_never_early",
      "timers_ordered_in_pass",   "queues_drain_after_callbacks",  "ticks_before_microtasks",
      "immediates_fifo_in_check", "immediates_wait_for_next_pass", "requests_complete_once",
      "pool_completions_in_poll", "closing_callbacks_in_closing",  "nothing_after_close"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace tickmark::conformance
