// Deliberately broken loops, one fault per build, that prove the conformance rules can fail.
//
// The measured loop carries none of this: every `is_mutant(...)` is the constant false. For the mutants it is
// compiled once more with -DREFLOOP_MUTABLE, and each links its own kMutant (conformance/mutants). A fault
// stands in a source file, never in a header, which others compile without that definition.
#pragma once

namespace refloop {

enum class Mutant {
  none,
  check_before_poll,
  timers_before_check,
  closing_before_check,
  timers_lifo_at_equal_due,
  timers_without_snapshot,  // zero timers restarted in a callback run in the same pass, for ever
  timer_early,              // fires 2 ms before it is due
  drain_once_per_phase,     // ticks and microtasks wait for the end of the phase (Node 10)
  microtasks_before_ticks,
  immediates_in_same_pass,
  immediates_lifo,
  write_callbacks_lifo,
  write_callback_synchronous,
  close_callback_synchronous,  // a player must not free the handle in its close callback
  canceled_writes_report_success,
  canceled_work_lost,
  pool_completion_twice,
  pool_starts_youngest_first,
  work_runs_after_cancel,
  stopped_sibling_timer_runs,
  read_after_stop,
  end_twice,
  unreferenced_timer_keeps_alive,
  once_runs_initial_timers,
  closing_put_off_a_turn,
  idle_after_poll,
  no_initial_timers,
  once_runs_timers_twice,
  pending_rounds_unbounded,
  completions_wait_a_turn,
  timers_without_clock,
  poll_waits_beside_idle,
  poll_waits_after_stop,
  poll_waits_while_closing,
  poll_waits_before_completions,
  nowait_waits,
  once_does_not_wait,
  stop_ends_the_phase,
  stop_ends_two_runs,
  closing_does_not_keep_alive,
  requests_do_not_keep_alive,
  liveness_before_timers,
  watchers_without_snapshot,
  stopped_sibling_watcher_runs,
  close_callback_before_requests,
  timeout_wraps,
  repeat_armed_after_callback,
  repeat_catches_up,
  equal_deadlines_in_any_order,
  restart_keeps_place,
  time_moves_in_a_pass,
  references_add_up,
  slow_io_takes_all_threads,
  completion_on_worker,
  pool_reports_one_per_turn,
  pool_batch_goes_on,
  no_drain_after_pool,
  async_callback_twice,
  async_send_in_callback_lost,
  end_before_data,
  end_shuts_down_sending,
  shutdown_synchronous,
  shutdown_overtakes_writes,
  read_callback_at_close,
  writes_go_on_after_shutdown,
  udp_send_synchronous,
  udp_callbacks_newest_first,
  udp_close_loses_sends,
  udp_receives_after_stop,
  one_shot_signal_stays,
  signals_not_last,
  signal_callback_in_handler,
  exit_status_lost,
  exit_twice,
  numbers_resolve_synchronously,
  close_callbacks_newest_first,
  watchers_newest_first,
  async_callback_per_send,
  no_drain_after_close,
  nested_ticks_wait,
  ticks_alternate_with_microtasks,
  cleared_immediate_runs,
  one_immediate_per_turn,
  zero_timeout_at_once,
  interval_rearmed_before_callback,
  cleared_timeout_fires,
  refresh_keeps_place,
  timeouts_by_deadline,
  last_immediate_not_drained,
  ticks_lost_at_the_end,
  rejections_before_the_drain,
  rejection_reports_not_drained,
  failed_immediate_loses_the_rest,
};

#ifdef REFLOOP_MUTABLE
extern const Mutant kMutant;  // of this executable
inline bool is_mutant(Mutant mutant) { return kMutant == mutant; }
#else
consteval bool is_mutant(Mutant) { return false; }
#endif

}  // namespace refloop
