#pragma once
// What the acceptor knows, one sentence a rule. Every one of them holds at any speed of the machine: none
// speaks of how long something takes, only of what must have passed because something else was seen.
//
//   queues.h    ticks, microtasks and the jobs of promises, errors
//   phases.h    the cycle timers, poll, check, closing
//   timers.h    the order of timeouts

#include <cstdint>
#include <string_view>

namespace tickmark::programs {

enum class RuleId : uint8_t {
  none,
  // Of every callback.
  causality,
  overlap,
  nothing_lost,
  // queues.h
  ticks_first,
  ticks_fifo,
  microtasks_before_the_loop,
  microtasks_fifo,
  ticks_wait_for_microtasks,
  errors_at_once,
  rejections_after_the_drain,
  // phases.h
  check_waits_for_immediates,
  check_runs_its_own,
  closing_waits_for_closes,
  poll_takes_one_batch,
  // timers.h
  equal_durations_fifo,
  timers_wait_a_turn,
  earlier_list_first,
  overdue_before_leaving,
  overdue_before_the_loop_goes_on,
};

inline constexpr RuleId kLastRule = RuleId::overdue_before_the_loop_goes_on;

/// A short name and the sentence.
std::string_view name_of(RuleId rule);
std::string_view sentence_of(RuleId rule);

}  // namespace tickmark::programs
