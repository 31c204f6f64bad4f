#include "conformance/programs/acceptor.h"

#include <algorithm>
#include <fmt/format.h>

namespace tickmark::programs {

void Acceptor::begin(const Program& program) {
  program_ = &program;
  queues_.reset();
  phases_.reset(program, profile_.begins_before_timers ? Place::closing : Place::check, profile_);
  made_.clear();
  cleared_.clear();
  optional_.clear();
  has_run_.clear();
  thrower_.reset();
  has_leftovers_ = left_by_a_tick_ = may_be_at_check_ = immediates_first_ = drain_is_between_ = false;
  is_strict_ = true;
  running_ = kMain;
  do_body(kMain);
}

RuleId Acceptor::step(Step seen) {
  if (seen.kind == StepKind::inside) return RuleId::overlap;
  if (thrower_ || seen.kind == StepKind::uncaught) return report_error(seen);
  const Verb verb = (*program_)[seen.label].verb;
  const bool of_loop = seen.kind == StepKind::callback && verb >= Verb::timeout;
  if (of_loop && !phases_.is_pending(seen.label, verb)) return RuleId::causality;
  if (immediates_first_) {
    if (verb != Verb::immediate) return RuleId::check_runs_its_own;
  } else if (!queues_.empty()) {
    if (!of_loop || !may_come_before_the_drain(seen.label)) return step_of_drain(seen);
  }
  return of_loop ? step_of_loop(seen.label) : RuleId::causality;
}

RuleId Acceptor::step_of_drain(Step seen) {
  if (has_leftovers_) {
    if (const RuleId broken = drain_leftovers(); broken != RuleId::none) return broken;
  }
  const Step expected = queues_.take_next();
  if (seen != expected) return Queues::rule_against(*program_, expected, seen);
  if (seen.kind == StepKind::callback) call_back(seen.label);
  return RuleId::none;
}

RuleId Acceptor::step_of_loop(Label label) {
  const Verb verb = (*program_)[label].verb;
  const RuleId broken = is_timer(verb)            ? phases_.take_timer(label)
                        : verb == Verb::immediate ? phases_.take_immediate(label)
                        : verb == Verb::close     ? phases_.take_close(label)
                                                  : phases_.take_pool(label);
  if (broken != RuleId::none) return broken;
  has_leftovers_ = may_be_at_check_ = immediates_first_ = false;
  queues_.begin_drain();
  call_back(label);
  drain_is_between_ = profile_.drains_between && verb == Verb::immediate && phases_.has_rest_of_check();
  if (is_timer(verb)) phases_.timers.choose_next();
  if (verb == Verb::immediate && !profile_.drains_between) immediates_first_ = phases_.has_outstanding();
  return RuleId::none;
}

// Errors. What is said of each place was read in Node's sources and observed: reference-loop/node_layer.h.

RuleId Acceptor::report_error(Step seen) {
  if (!thrower_ || seen != Step{*thrower_, StepKind::uncaught}) return RuleId::errors_at_once;
  const Label thrower = *thrower_;
  thrower_.reset();
  after_error(thrower);
  return RuleId::none;
}

// A failed microtask defers nothing, a failed main is drained; behind all others the loop goes on first.
void Acceptor::after_error(Label thrower) {
  const Verb verb = (*program_)[thrower].verb;
  phases_.ask_empty_immediate();
  if (verb == Verb::main || verb == Verb::microtask) return;
  is_strict_ = is_strict_ && queues_.empty();
  queues_.begin_drain();
  left_by_a_tick_ = verb == Verb::tick;
  if (may_be_at_check_) {
    has_leftovers_ = true;
    return;
  }
  if (verb == Verb::immediate || drain_is_between_) phases_.go_on_checking();
  if (phases_.is_before_check()) phases_.begin_check();  // a tick of the leftovers has failed in turn
  // The rest of a check phase goes on without a drain, and that comes behind its first, which may be an empty
  // one.
  drain_is_between_ = false;
  if (phases_.take_empty_immediate()) {
    drain_is_between_ = phases_.has_rest_of_check();
    return;
  }
  immediates_first_ = phases_.has_outstanding();
  has_leftovers_ = true;
}

bool Acceptor::may_come_before_the_drain(Label label) const {
  const Verb verb = (*program_)[label].verb;
  if (!has_leftovers_) {
    return !profile_.drains_between && is_timer(verb) && phases_.place() == Place::timers &&
           phases_.timers.continues_list(label);
  }
  if (may_be_at_check_) return true;
  if (verb == Verb::immediate) return !profile_.leftovers_before_immediates;
  switch (phases_.place()) {
    case Place::timers:
      return phases_.is_of_this_batch(label, verb) || (left_by_a_tick_ && is_pool(verb));
    case Place::poll:
      return phases_.is_of_this_batch(label, verb);
    case Place::check:
      return true;
    case Place::closing:
      return verb != Verb::close || phases_.is_of_this_batch(label, verb);
  }
  return false;
}

// At the end of a pass of the timers phase, also of one that fires nothing; else before the next check phase.
RuleId Acceptor::drain_leftovers() {
  has_leftovers_ = drain_is_between_ = false;
  if (phases_.place() == Place::poll) return phases_.go_to_check();
  may_be_at_check_ = phases_.place() != Place::timers || left_by_a_tick_;
  return phases_.place() == Place::timers ? RuleId::none : phases_.go_past_timers();
}

void Acceptor::call_back(Label label) {
  const Action& action = (*program_)[label];
  const Label outer = running_;
  running_ = label;
  if (action.verb == Verb::interval && --calls_left_[label] == 0) cleared_.add(label);
  if (!has_run_.has(label)) {
    has_run_.add(label);
    do_body(label);
  }
  if (action.verb == Verb::interval && !cleared_.has(label)) phases_.timers.rearm_interval(label);
  running_ = outer;
}

void Acceptor::do_body(Label of) {
  program_->each_in_body(of, [&](Label label) { do_action(label, of); });
}

int Acceptor::further_jobs(const Action& action) const {
  switch (action.verb) {
    case Verb::then:
      return action.count - 1;
    case Verb::await:
      return profile_.await_jobs - 1;
    case Verb::async_return:
      return 2;
    case Verb::thenable:
      return 1;
    default:
      return 0;
  }
}

void Acceptor::do_action(Label label, Label in) {
  const Action& action = (*program_)[label];
  switch (action.verb) {
    case Verb::tick:
      return queues_.ask_tick(label);
    case Verb::microtask:
    case Verb::then:
    case Verb::await:
    case Verb::async_return:
    case Verb::thenable:
      return queues_.ask_job(label, further_jobs(action));
    case Verb::timeout:
    case Verb::interval:
      made_.add(label);
      calls_left_[label] = action.count;
      return phases_.timers.arm(label);
    case Verb::immediate:
      return phases_.ask_immediate(label);
    case Verb::fs:
    case Verb::crypto:
      return phases_.ask_pool(label);
    case Verb::close:
      return phases_.ask_close(label);
    case Verb::block:
      return phases_.timers.pass(action.ms - profile_.clock_slack_ms);
    case Verb::fail:
      // In a promise it becomes a rejection.
      if (is_job((*program_)[in].verb) && (*program_)[in].verb != Verb::microtask) return queues_.reject(in);
      thrower_ = in;
      return;
    default:
      return do_to_target(action);
  }
}

void Acceptor::do_to_target(const Action& action) {
  const Label target = action.target;
  if ((*program_)[target].verb == Verb::immediate) {
    if (action.verb == Verb::clear) phases_.clear_immediate(target);
    return;
  }
  if (!made_.has(target) || cleared_.has(target)) return;
  Timers& timers = phases_.timers;
  if (action.verb == Verb::unref) return timers.unref(target);
  if (action.verb == Verb::clear) {
    cleared_.add(target);
    return timers.clear(target);
  }
  if (!timers.armed().has(target) && running_ != target) optional_.add(target);
  timers.refresh(target);
}

RuleId Acceptor::end() const {
  if (thrower_) return RuleId::errors_at_once;
  const bool is_over = queues_.empty() && phases_.pending().without(optional_).empty();
  return is_over ? RuleId::none : RuleId::nothing_lost;
}

std::vector<Step> Acceptor::possible() const {
  std::vector<Step> steps;
  for (size_t i = 0; i < program_->size(); ++i) {
    for (const StepKind kind : {StepKind::callback, StepKind::uncaught, StepKind::unhandled}) {
      const Step candidate{static_cast<Label>(i), kind};
      Acceptor copy = *this;
      if (copy.step(candidate) == RuleId::none) steps.push_back(candidate);
    }
  }
  return steps;
}

std::optional<Refusal> Acceptor::judge(const Program& program, const std::vector<Step>& steps) {
  begin(program);
  size_t at = 0;
  RuleId rule = RuleId::none;
  while (at < steps.size() && rule == RuleId::none) {
    rule = steps[at].label < program.size() ? step(steps[at]) : RuleId::causality;
    if (rule == RuleId::none) ++at;
  }
  if (rule == RuleId::none) rule = end();
  if (rule == RuleId::none) return std::nullopt;
  Refusal refusal{.at = at, .rule = rule, .is_strict = is_strict_};
  if (at < steps.size()) refusal.came = steps[at];
  begin(program);
  for (size_t i = 0; i < at; ++i) step(steps[i]);
  refusal.possible = possible();
  return refusal;
}

std::string name_of(const Program& program, Step step) {
  std::string name = program.name(step.label);
  switch (step.kind) {
    case StepKind::callback:
      return name;
    case StepKind::inside:
      return name + " (inside another callback)";
    case StepKind::uncaught:
      return "'uncaughtException' of " + name;
    case StepKind::unhandled:
      return "'unhandledRejection' of " + name;
  }
  return name;
}

std::string to_text(const Program& program, const Refusal& refusal) {
  std::string could;
  for (const Step step : refusal.possible) could += (could.empty() ? "" : ", ") + name_of(program, step);
  const std::string came =
      refusal.came ? fmt::format("{} came as number {}", name_of(program, *refusal.came), refusal.at + 1)
                   : fmt::format("it ended after {} callbacks", refusal.at);
  return fmt::format("{}, but only {} could: {} ({})", came, could.empty() ? "the end" : could,
                     sentence_of(refusal.rule), name_of(refusal.rule));
}

}  // namespace tickmark::programs
