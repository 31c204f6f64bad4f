#pragma once
// Where the loop is in its cycle
//
//   timers, poll, check, closing, timers ...
//
// and what it may not pass by: immediates in the check phase, close callbacks in the closing phase, overdue
// timeouts in the timers phase. What is under way elsewhere comes to the poll phase whenever it likes.
//
// A turn in which nothing is called back leaves no trace: between two callbacks of one phase there may have
// been one, unless something would have run in it. Whether there was does not matter for what may come next;
// that it may have been does.

#include "conformance/programs/profile.h"
#include "conformance/programs/timers.h"

namespace tickmark::programs {

enum class Place : uint8_t { timers, poll, check, closing };

class Phases {
 public:
  void reset(const Program& program, Place begin, const Profile& profile);

  // What callbacks ask for.
  void ask_immediate(Label label) {
    immediates_.add(label);
    order_[label] = next_order_++;
  }
  void ask_pool(Label label) { under_way_.add(label); }
  void ask_close(Label label) { closes_.add(label); }
  void clear_immediate(Label label) {
    immediates_.remove(label);
    outstanding_.remove(label);
  }

  // The next callback of the loop. The rule it breaks; if none, the loop is there, and the callback is no
  // longer pending. It was asked for.
  RuleId take_timer(Label label);
  RuleId take_pool(Label label);
  RuleId take_immediate(Label label);
  RuleId take_close(Label label);

  bool is_pending(Label label, Verb verb) const;
  /// Everything asked for that keeps the program alive.
  LabelSet pending() const {
    return immediates_ | outstanding_ | under_way_ | closes_ | batch_ |
           timers.armed().without(timers.unreferenced());
  }

  Place place() const { return place_; }
  /// In the check phase: what runs without a drain before it. Nothing else may.
  bool has_outstanding() const { return place_ == Place::check && !outstanding_.empty(); }
  /// The same, or only immediates that do nothing.
  bool has_rest_of_check() const {
    return place_ == Place::check && (!outstanding_.empty() || empty_begin_ != empty_split_);
  }
  /// An immediate has failed, or a tick between two, and none is left of the phase: those set meanwhile run
  /// in the same.
  void go_on_checking();
  /// Each error sets an immediate that does nothing, so that there is a turn in which what is left of its
  /// drain runs. Nobody sees it, but in an immediate's place.
  void ask_empty_immediate() { empty_[empty_end_++] = next_order_++; }
  /// If it is the next of this check phase: it runs.
  bool take_empty_immediate();
  /// Without passing another phase, in the batch or pass that is open.
  bool is_of_this_batch(Label label, Verb verb) const;
  /// On to the end of a timers phase in which nothing fires. The rule that forbids it.
  RuleId go_past_timers();
  /// On to the moment before the check phase, in which leftovers run. The rule that forbids it.
  RuleId go_to_check();
  bool is_before_check() const { return is_before_check_; }
  void begin_check();

  Timers timers;

 private:
  RuleId cross_to(Place to);
  RuleId can_cross(Place to) const;
  Label first_of(LabelSet set) const {
    return set.least([this](Label label) { return order_[label]; });
  }

  Place place_ = Place::closing;
  bool is_before_check_ = false;
  bool pass_reads_clock_once_ = true;  // profile.h
  bool phase_has_one_pass_ = true;
  LabelSet immediates_;                      // of the next check phase
  LabelSet outstanding_;                     // of the one that runs
  LabelSet under_way_;                       // in the pool
  LabelSet deliverable_;                     // of those, what this poll phase may deliver
  LabelSet closes_;                          // of the next closing phase
  LabelSet batch_;                           // of the one that runs
  std::array<uint32_t, kMaxActions> order_;  // of immediates
  uint32_t next_order_ = 0;
  // The empty ones: begin .. split of this check phase, the rest of the next.
  std::array<uint32_t, kMaxActions> empty_;
  uint8_t empty_begin_ = 0;
  uint8_t empty_split_ = 0;
  uint8_t empty_end_ = 0;
};

}  // namespace tickmark::programs
