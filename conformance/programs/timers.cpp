#include "conformance/programs/timers.h"

#include <algorithm>

namespace tickmark::programs {

void Timers::reset(const Program& program) {
  armed_.clear();
  unreferenced_.clear();
  before_pass_.clear();
  began_with_.clear();
  survivors_.clear();
  put_back_.clear();
  since_pass_ = since_begun_ = 0;
  next_sequence_ = 1;
  chosen_ = 0;
  running_list_ = kNoList;
  list_count_ = 0;
  for (size_t i = 1; i < program.size(); ++i) {
    const Action& action = program[static_cast<Label>(i)];
    if (!is_timer(action.verb)) continue;
    uint8_t list = 0;
    while (list < list_count_ && lists_[list].ms != action.ms) ++list;
    if (list == list_count_) {
      ++list_count_;
      lists_[list].ms = static_cast<Millis>(action.ms);
      lists_[list].members.clear();
      lists_[list].has_expiry = false;
    }
    list_of_[i] = list;
  }
}

void Timers::remember(Arming& moment) const {
  moment.sequence = next_sequence_;
  moment.armed_before = armed_;
  armed_.each([&](Label other) { moment.age_then[other] = age_[other]; });
}

void Timers::arm(Label label) {
  armed_.remove(label);
  remember(arming_[label]);
  append(label);
}

void Timers::append(Label label) {
  List& list = lists_[list_of_[label]];
  place_[label] = next_sequence_++;
  age_[label] = pass_age_[label] = 0;
  armed_.add(label);
  before_pass_.remove(label);
  began_with_.remove(label);
  survivors_.remove(label);
  not_due_[label].armed_before.clear();
  list.members.add(label);
  if (!list.has_expiry) set_expiry(list, arming_[label]);
}

void Timers::set_expiry(List& list, const Arming& arming) {
  list.has_expiry = true;
  list.expiry_sequence = arming.sequence;
  list.armed_before = arming.armed_before;
  arming.armed_before.each([&](Label other) { list.age_then[other] = arming.age_then[other]; });
}

// The list keeps its expiry, unless it is gone with its last referenced timeout.
void Timers::clear(Label label) {
  if (!armed_.has(label)) return;
  List& list = lists_[list_of_[label]];
  armed_.remove(label);
  before_pass_.remove(label);
  began_with_.remove(label);
  list.members.remove(label);
  if (list.members.empty() && !unreferenced_.has(label)) {
    list.has_expiry = false;
    if (running_list_ == list_of_[label]) running_list_ = kNoList;
  }
}

void Timers::pass(int ms) {
  if (ms <= 0) return;
  armed_.each([&](Label label) { age_[label] = static_cast<Millis>(age_[label] + ms); });
  since_pass_ = static_cast<Millis>(since_pass_ + ms);
  since_begun_ = static_cast<Millis>(since_begun_ + ms);
}

bool Timers::may_end_pass() const {
  bool may = true;
  (armed_ & before_pass_).each([&](Label label) { may &= pass_age_[label] < duration(label); });
  return may;
}

// What outlived a pass is looked at a millisecond after it at the earliest, even if it is overdue by then.
bool Timers::may_be_passed_by() const {
  bool may = true;
  armed_.each([&](Label label) {
    if (survivors_.has(label) && since_pass_ < 1) return;
    may &= age_[label] < duration(label);
  });
  return may;
}

// `waiting` would have fired if they had been due at the moment at which the ages were those.
void Timers::note_not_due(LabelSet waiting, LabelSet others, const std::array<Millis, kMaxActions>& ages) {
  waiting.each([&](Label label) {
    Arming& moment = not_due_[label];
    moment.sequence = next_sequence_;
    moment.armed_before = others;
    others.each([&](Label other) { moment.age_then[other] = ages[other]; });
  });
}

void Timers::pass_by() { note_not_due(armed_.without(survivors_), armed_, age_); }

void Timers::forget_pass() {
  before_pass_.clear();
  began_with_.clear();
  survivors_ = armed_;
  since_pass_ = 0;
}

void Timers::begin_pass() {
  before_pass_ = began_with_ = armed_;
  put_back_.clear();
  armed_.each([&](Label label) { pass_age_[label] = age_[label]; });
}

void Timers::may_be_another_pass(Label next) {
  if (running_list_ != list_of_[next]) close_visit();
  before_pass_ = armed_;
  put_back_.clear();
}

void Timers::end_pass() {
  close_visit();
  chosen_ = 0;
  const LabelSet left_over = armed_ & began_with_;
  note_not_due(left_over, left_over, pass_age_);
  survivors_ = armed_;
  since_pass_ = 0;
}

// A list in which something is left that is not due is put back, and expires with that: as it was behind the
// callback, whatever the ticks behind that do. (If it was due and a tick has cleared it, the list goes on,
// and may expire later; never earlier.)
void Timers::close_visit() {
  if (running_list_ == kNoList) return;
  List& list = lists_[running_list_];
  running_list_ = kNoList;
  put_back_ = put_back_ | list.members;
  set_expiry(list, put_back_as_);
}

RuleId Timers::may_fire(Label label) const {
  if (label == chosen_) return RuleId::none;
  const List& list = lists_[list_of_[label]];
  if (head_of(list) != label) return RuleId::equal_durations_fifo;
  bool is_first = true;
  (armed_ & list.armed_before).without(list.members).each([&](Label other) {
    if (place_[other] >= list.expiry_sequence) return;  // armed anew since
    // This list expires later than `other` is due, and so later than the list that one stands in.
    if (list.age_then[other] + list.ms > duration(other)) is_first = false;
  });
  return is_first ? RuleId::none : RuleId::earlier_list_first;
}

void Timers::fire(Label label) {
  List& list = lists_[list_of_[label]];
  if (running_list_ != list_of_[label]) {
    close_visit();
    running_list_ = list_of_[label];
  }
  const Arming& arming = arming_[label];
  armed_.remove(label);
  before_pass_.remove(label);
  list.members.remove(label);
  // Its duration has passed by the time the pass read, and more since what had been armed before it. (If a
  // tick has refreshed it in the last moment, that of an arming which is no longer known.)
  const bool is_as_armed = label != chosen_ || place_[label] == chosen_place_;
  const LabelSet older = is_as_armed ? armed_ & arming.armed_before : LabelSet();
  older.each([&](Label other) {
    if (place_[other] >= arming.sequence) return;
    const auto passed = static_cast<Millis>(list.ms + arming.age_then[other]);
    age_[other] = std::max(age_[other], passed);
    pass_age_[other] = std::max(pass_age_[other], passed);
  });
  (armed_ & not_due_[label].armed_before).each([&](Label other) {
    if (place_[other] >= not_due_[label].sequence) return;
    const auto passed = static_cast<Millis>(not_due_[label].age_then[other] + 1);
    age_[other] = std::max(age_[other], passed);
    pass_age_[other] = std::max(pass_age_[other], passed);
  });
  chosen_ = 0;
  remember(begun_);
  since_begun_ = 0;
}

void Timers::rearm_interval(Label label) {
  if (armed_.has(label)) {  // refreshed meanwhile
    armed_.remove(label);
    lists_[list_of_[label]].members.remove(label);
  }
  arming_[label] = begun_;
  append(label);
  // Only where its list expires with it: what the callback has armed stands in front, and expires later.
  LabelSet alone;
  alone.add(label);
  if (lists_[list_of_[label]].members == alone) age_[label] = since_begun_;
}

void Timers::choose_next() {
  if (running_list_ == kNoList) return;
  List& list = lists_[running_list_];
  if (list.members.empty()) {  // and is gone
    list.has_expiry = false;
    running_list_ = kNoList;
    return;
  }
  put_back_as_ = arming_[head_of(list)];
  const LabelSet candidates = list.members & before_pass_;
  chosen_ = candidates.empty() ? 0 : candidates.least([this](Label label) { return place_[label]; });
  chosen_place_ = place_[chosen_];
}

}  // namespace tickmark::programs
