// Deliberately broken loops, one fault per build, that prove the conformance rules can fail.
//
// A mutant is chosen with -DREFLOOP_MUTANT=<name>; without it every `is_mutant(...)` is the constant
// false and `if constexpr` removes the fault, so the measured binary carries none of this. CMake:
// refloop_mutant(<name>) in reference-loop/CMakeLists.txt. A fault stands in a source file, never in a
// header.
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
};

#ifndef REFLOOP_MUTANT
#define REFLOOP_MUTANT none
#endif

inline constexpr Mutant kMutant = Mutant::REFLOOP_MUTANT;

consteval bool is_mutant(Mutant mutant) { return kMutant == mutant; }

}  // namespace refloop
