#include "conformance/programs/rules.h"

#include <array>
#include <utility>

namespace tickmark::programs {
namespace {

struct Text {
  std::string_view name;
  std::string_view sentence;
};

constexpr Text text_of(RuleId rule) {
  switch (rule) {
    case RuleId::none:
      return {"none", ""};
    case RuleId::causality:
      return {"causality",
              "a callback runs once for each time it was asked for, and not after it was cleared"};
    case RuleId::overlap:
      return {"overlap",
              "no callback begins while another runs, least of all inside the call that asks for it"};
    case RuleId::nothing_lost:
      return {"nothing_lost",
              "the program does not end before everything it asked for, and keeps it alive, has run"};
    case RuleId::ticks_first:
      return {"ticks_first", "after a callback every pending tick runs before anything else"};
    case RuleId::ticks_fifo:
      return {"ticks_fifo", "ticks run in the order in which they were asked for"};
    case RuleId::microtasks_before_the_loop:
      return {"microtasks_before_the_loop",
              "microtasks and the jobs of promises run, until none is left, before the loop goes on"};
    case RuleId::microtasks_fifo:
      return {"microtasks_fifo",
              "microtasks and the jobs of promises share one queue, first in first out, each job counted"};
    case RuleId::ticks_wait_for_microtasks:
      return {"ticks_wait_for_microtasks",
              "a tick asked for by a microtask waits until no microtask is left"};
    case RuleId::errors_at_once:
      return {"errors_at_once", "what a callback throws is reported before any other callback runs"};
    case RuleId::rejections_after_the_drain:
      return {"rejections_after_the_drain",
              "an unhandled rejection is reported when ticks and microtasks have run dry, before the loop "
              "goes on"};
    case RuleId::check_waits_for_immediates:
      return {"check_waits_for_immediates",
              "the loop does not pass its check phase while an immediate waits"};
    case RuleId::check_runs_its_own:
      return {"check_runs_its_own",
              "one check phase runs the immediates set before it, in order, and nothing else between them"};
    case RuleId::closing_waits_for_closes:
      return {"closing_waits_for_closes",
              "the loop does not pass its closing phase while a close callback waits; one asked for in that "
              "phase "
              "waits for the next"};
    case RuleId::poll_takes_one_batch:
      return {"poll_takes_one_batch", "what is started in a poll phase completes in a later one"};
    case RuleId::equal_durations_fifo:
      return {"equal_durations_fifo", "timeouts of one duration fire in the order of arming"};
    case RuleId::timers_wait_a_turn:
      return {
          "timers_wait_a_turn",
          "a timeout that was armed in a timers phase, or was not due when its list ran, waits for the next"};
    case RuleId::earlier_list_first:
      return {"earlier_list_first",
              "a timeout fires before those of another duration whose list cannot expire earlier than it"};
    case RuleId::overdue_before_leaving:
      return {"overdue_before_leaving",
              "the timers phase is not left before every timeout has fired that was due when it began"};
    case RuleId::overdue_before_the_loop_goes_on:
      return {"overdue_before_the_loop_goes_on",
              "the loop does not pass its timers phase while a timeout is overdue"};
  }
  return {};
}

}  // namespace

std::string_view name_of(RuleId rule) { return text_of(rule).name; }
std::string_view sentence_of(RuleId rule) { return text_of(rule).sentence; }

}  // namespace tickmark::programs
