#include "conformance/programs/phases.h"

namespace tickmark::programs {
namespace {

constexpr Place behind(Place place) {
  return place == Place::closing ? Place::timers : static_cast<Place>(static_cast<uint8_t>(place) + 1);
}

}  // namespace

void Phases::reset(const Program& program, Place begin, const Profile& profile) {
  timers.reset(program);
  place_ = begin;
  is_before_check_ = false;
  pass_reads_clock_once_ = profile.pass_reads_clock_once;
  phase_has_one_pass_ = profile.phase_has_one_pass;
  immediates_.clear();
  outstanding_.clear();
  under_way_.clear();
  deliverable_.clear();
  closes_.clear();
  batch_.clear();
  next_order_ = 0;
  empty_begin_ = empty_split_ = empty_end_ = 0;
}

// Leaving the phase the loop is in and passing by all that lie before `to`; once around if that is the same.
RuleId Phases::can_cross(Place to) const {
  if (place_ == Place::timers && !timers.may_end_pass()) return RuleId::overdue_before_leaving;
  if (place_ == Place::check && !outstanding_.empty()) return RuleId::check_runs_its_own;
  if (place_ == Place::closing && !batch_.empty()) return RuleId::closing_waits_for_closes;
  for (Place place = behind(place_); place != to; place = behind(place)) {
    if (place == Place::timers && !timers.may_be_passed_by()) return RuleId::overdue_before_the_loop_goes_on;
    if (place == Place::check && !immediates_.empty()) return RuleId::check_waits_for_immediates;
    if (place == Place::closing && !closes_.empty()) return RuleId::closing_waits_for_closes;
  }
  return RuleId::none;
}

RuleId Phases::cross_to(Place to) {
  if (const RuleId broken = can_cross(to); broken != RuleId::none) return broken;
  if (place_ == Place::timers) timers.end_pass();
  for (Place place = behind(place_); place != to; place = behind(place)) {
    if (place == Place::timers) timers.pass_by();
  }
  place_ = to;
  is_before_check_ = false;
  return RuleId::none;
}

RuleId Phases::take_timer(Label label) {
  if (place_ != Place::timers) {
    if (const RuleId broken = cross_to(Place::timers); broken != RuleId::none) return broken;
    timers.begin_pass();
  } else if (!pass_reads_clock_once_) {
    timers.may_be_another_pass(label);
  } else if (!timers.may_be_of_this_pass(label) && !timers.is_chosen(label)) {
    if (phase_has_one_pass_) {
      if (can_cross(Place::timers) != RuleId::none) return RuleId::timers_wait_a_turn;
    } else if (!timers.may_end_pass()) {
      return RuleId::overdue_before_leaving;
    }
    timers.end_pass();
    timers.begin_pass();
  } else if (phase_has_one_pass_ ? can_cross(Place::timers) == RuleId::none : timers.may_end_pass()) {
    timers.may_be_another_pass(label);
  }
  if (const RuleId broken = timers.may_fire(label); broken != RuleId::none) return broken;
  timers.fire(label);
  return RuleId::none;
}

RuleId Phases::take_pool(Label label) {
  if (place_ != Place::poll) {
    if (const RuleId broken = cross_to(Place::poll); broken != RuleId::none) return broken;
    deliverable_ = under_way_;
  } else if (can_cross(Place::poll) == RuleId::none) {
    deliverable_ = under_way_;
  }
  if (!deliverable_.has(label)) return RuleId::poll_takes_one_batch;
  deliverable_.remove(label);
  under_way_.remove(label);
  return RuleId::none;
}

RuleId Phases::take_immediate(Label label) {
  if (!has_outstanding()) {
    if (const RuleId broken = cross_to(Place::check); broken != RuleId::none) return broken;
    begin_check();
  }
  if (!outstanding_.has(label) || first_of(outstanding_) != label) return RuleId::check_runs_its_own;
  outstanding_.remove(label);
  while (empty_begin_ < empty_split_ && empty_[empty_begin_] < order_[label]) ++empty_begin_;
  return RuleId::none;
}

bool Phases::take_empty_immediate() {
  if (place_ != Place::check || empty_begin_ == empty_split_) return false;
  if (!outstanding_.empty() && order_[first_of(outstanding_)] < empty_[empty_begin_]) return false;
  ++empty_begin_;
  return true;
}

RuleId Phases::take_close(Label label) {
  if (place_ != Place::closing || batch_.empty()) {
    if (const RuleId broken = cross_to(Place::closing); broken != RuleId::none) return broken;
    batch_ = closes_;
    closes_.clear();
  }
  if (!batch_.has(label)) return RuleId::closing_waits_for_closes;
  batch_.remove(label);
  return RuleId::none;
}

bool Phases::is_pending(Label label, Verb verb) const {
  if (is_timer(verb)) return timers.armed().has(label);
  if (verb == Verb::immediate) return (immediates_ | outstanding_).has(label);
  if (verb == Verb::close) return (closes_ | batch_).has(label);
  return under_way_.has(label);
}

void Phases::go_on_checking() {
  if (outstanding_.empty() && empty_begin_ == empty_split_) begin_check();
}

RuleId Phases::go_past_timers() {
  if (!timers.may_be_passed_by()) return RuleId::overdue_before_the_loop_goes_on;
  if (const RuleId broken = cross_to(Place::timers); broken != RuleId::none) return broken;
  timers.pass_by();
  timers.forget_pass();
  return RuleId::none;
}

RuleId Phases::go_to_check() {
  if (place_ != Place::poll) {
    if (const RuleId broken = cross_to(Place::poll); broken != RuleId::none) return broken;
  }
  deliverable_.clear();
  is_before_check_ = true;
  return RuleId::none;
}

void Phases::begin_check() {
  place_ = Place::check;
  is_before_check_ = false;
  empty_begin_ = empty_split_;
  empty_split_ = empty_end_;
  outstanding_ = immediates_;
  immediates_.clear();
}

bool Phases::is_of_this_batch(Label label, Verb verb) const {
  switch (place_) {
    case Place::timers:
      return is_timer(verb) && (timers.may_be_of_this_pass(label) || timers.is_chosen(label));
    case Place::poll:
      return is_pool(verb) && deliverable_.has(label);
    case Place::check:
      return outstanding_.has(label);
    case Place::closing:
      return batch_.has(label);
  }
  return false;
}

}  // namespace tickmark::programs
