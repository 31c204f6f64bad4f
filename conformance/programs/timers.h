#pragma once
// The order of timeouts, without a clock. Node keeps a list per duration, in the order of arming, and a queue
// of these lists by the time at which they expire (that of the first timeout when the list was made or last
// put back). A pass of the timers phase reads the clock once and takes the lists in that order, each as far
// as it is due.
//
// When something was armed is not known; what is known are least times, in milliseconds, and they only grow:
//
//   - what was armed earlier started not later;
//   - a `block` passes its time;
//   - a timeout that fires proves that its duration has passed since it was armed, and so at least as much
//     since all that was armed before;
//   - and if the loop came by before and it was not due yet, time has gone on since then.
//
// From these follows what must have been due, and which list must have expired first. Where that leaves two
// possibilities the rules here allow both; so they never refuse what a slow machine may do.

#include <array>

#include "conformance/programs/label_set.h"
#include "conformance/programs/rules.h"

namespace tickmark::programs {

class Timers {
 public:
  void reset(const Program& program);

  // What callbacks do.
  void arm(Label label);
  void clear(Label label);
  void refresh(Label label) { arm(label); }
  void unref(Label label) { unreferenced_.add(label); }
  /// All durations are counted in full only if nothing else measures them: `ms` is what certainly passed.
  void pass(int ms);

  LabelSet armed() const { return armed_; }
  LabelSet unreferenced() const { return unreferenced_; }
  /// Armed before the pass that is open, and its list has not been run and put back in it.
  bool may_be_of_this_pass(Label label) const { return before_pass_.has(label) && !put_back_.has(label); }

  // The timers phase. A pass is open from its first timeout until it is ended.
  /// Whether the pass may end, or the phase be passed without one.
  bool may_end_pass() const;
  bool may_be_passed_by() const;
  /// The phase is passed without a pass: what would have been looked at is not due.
  void pass_by();
  /// As if a pass had ended here that fired nothing, or none had been.
  void forget_pass();
  void begin_pass();
  /// The pass that is open may as well have ended, and another begun, before `next` fires.
  void may_be_another_pass(Label next);
  void end_pass();

  /// Whether this armed timeout can be the next of the pass; the rule it breaks.
  RuleId may_fire(Label label) const;
  void fire(Label label);
  /// The callback of the interval `label` has returned, and it goes on: from when that began, even if it was
  /// refreshed inside.
  void rearm_interval(Label label);
  /// Chosen before the ticks ran: it fires even if one of them refreshed it.
  bool is_chosen(Label label) const { return label == chosen_; }
  /// The callback has returned; what is next in its list has been chosen before the ticks run.
  void choose_next();
  /// Whether the list `label` stands in is the one that runs: Node 10 drains behind it.
  bool continues_list(Label label) const {
    return running_list_ == list_of_[label] && before_pass_.has(label);
  }

 private:
  using Millis = int16_t;
  struct List {
    Millis ms = 0;
    LabelSet members;
    // When it expires: counted from the arming of a timeout, of which is known what had been armed before it,
    // and how long before at least.
    bool has_expiry = false;
    uint32_t expiry_sequence = 0;
    LabelSet armed_before;
    std::array<Millis, kMaxActions> age_then;
  };
  // What was known when a timeout was armed, or was last found not to be due.
  struct Arming {
    uint32_t sequence = 0;
    LabelSet armed_before;
    std::array<Millis, kMaxActions> age_then;
  };

  Millis duration(Label label) const { return lists_[list_of_[label]].ms; }
  Label head_of(const List& list) const {
    return list.members.least([this](Label label) { return place_[label]; });
  }
  void remember(Arming& moment) const;
  void append(Label label);
  static void set_expiry(List& list, const Arming& first);
  void note_not_due(LabelSet waiting, LabelSet others, const std::array<Millis, kMaxActions>& ages);
  void close_visit();

  static constexpr uint8_t kNoList = 0xff;

  uint32_t next_sequence_ = 1;
  LabelSet armed_;
  LabelSet unreferenced_;
  LabelSet before_pass_;   // armed when the open pass began
  LabelSet began_with_;    // the same, if there has been no other pass since
  LabelSet survivors_;     // armed when the last pass ended
  Millis since_pass_ = 0;  // at least, since the last pass ended
  LabelSet put_back_;      // those of lists that the open pass has done with
  Arming put_back_as_;     // the expiry of the list that runs, should what is first in it not be due
  Arming begun_;           // when the last callback began
  Millis since_begun_ = 0;
  Label chosen_ = 0;  // to fire next although it was refreshed meanwhile
  uint32_t chosen_place_ = 0;
  uint8_t running_list_ = kNoList;
  uint8_t list_count_ = 0;
  std::array<uint8_t, kMaxActions> list_of_;
  std::array<uint32_t, kMaxActions> place_;   // in its list: the sequence of its arming
  std::array<Millis, kMaxActions> age_;       // at least, since it was armed
  std::array<Millis, kMaxActions> pass_age_;  // the same when the open pass began
  std::array<Arming, kMaxActions> arming_;
  std::array<Arming, kMaxActions> not_due_;
  std::array<List, kMaxActions> lists_;
};

}  // namespace tickmark::programs
