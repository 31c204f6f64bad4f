#pragma once
// Judges what a player saw of a random program: replays it step by step and knows at each which callbacks may
// come next. What each rule says is in rules.cpp; how it follows from what was asked for in queues.h,
// phases.h, timers.h.
//
// The state it keeps is what a loop that has done the same could be in. Where a loop has a choice, every
// choice is allowed; where it has none, one callback is. No time is read: what it refuses, no machine may do,
// however slow.

#include <optional>
#include <string>
#include <vector>

#include "conformance/programs/phases.h"
#include "conformance/programs/profile.h"
#include "conformance/programs/queues.h"

namespace tickmark::programs {

struct Refusal {
  size_t at = 0;               ///< index of the step; that of the end if the program ended too early
  std::optional<Step> came{};  ///< nothing: it ended
  RuleId rule = RuleId::none;
  std::vector<Step> possible{};  ///< what could have come instead; empty: only the end
  /// False: an error had cut a drain short by then. When the rest runs is a habit of Node's that is known in
  /// part only: it hangs on lists visited in vain, on turns in which nothing was seen, on handles of the
  /// player.
  bool is_strict = true;
};

/// One object serves any number of programs. It is large, and copied only to find out what was possible.
class Acceptor {
 public:
  explicit Acceptor(const Profile& profile) : profile_(profile) {}

  /// The first step that no loop could have made.
  std::optional<Refusal> judge(const Program& program, const std::vector<Step>& steps);

  // The same, step by step. Once a rule is broken, only begin() may follow.
  void begin(const Program& program);
  RuleId step(Step step);
  /// The program ends here.
  RuleId end() const;
  /// The steps that break no rule now.
  std::vector<Step> possible() const;

 private:
  RuleId step_of_drain(Step seen);
  RuleId step_of_loop(Label label);
  RuleId report_error(Step seen);
  bool may_come_before_the_drain(Label label) const;
  RuleId drain_leftovers();
  void after_error(Label thrower);

  void call_back(Label label);
  void do_body(Label of);
  void do_action(Label label, Label in);
  void do_to_target(const Action& action);
  int further_jobs(const Action& action) const;

  Profile profile_;
  const Program* program_ = nullptr;
  Queues queues_;
  Phases phases_;
  LabelSet made_;      // timers that exist
  LabelSet cleared_;   // of these, for good
  LabelSet optional_;  // fired, then refreshed: whether that keeps the program alive differs between versions
  LabelSet has_run_;   // callbacks that have done their body
  Label running_ = 0;
  std::array<uint8_t, kMaxActions> calls_left_{};  // of intervals
  std::optional<Label> thrower_;                   // its error is reported next
  // An error has cut the drain short. What is left of the queues runs in the next; the loop may go on before
  // that.
  bool has_leftovers_ = false;
  bool left_by_a_tick_ = false;
  bool is_strict_ = true;  // no error has cut a drain short yet
  // Leftovers have run, but whether at the end of a pass that fired nothing or before the immediates is not
  // known.
  bool may_be_at_check_ = false;
  bool immediates_first_ = false;  // the rest of this check phase, before any drain
  bool drain_is_between_ = false;  // two immediates: a failed tick then fails the phase, even if its rest is
                                   // cleared by now
};

/// What is wrong, in words: "tick4 came as number 3, but only tick2 could: ticks run in the order ...".
std::string to_text(const Program& program, const Refusal& refusal);

}  // namespace tickmark::programs
