#pragma once
// What the judgement of one rule on one subject came to, over all runs: one line of conformance.ndjson.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "conformance/oracle/judge.h"
#include "conformance/oracle/rule.h"

namespace tickmark::conformance {

enum class VerdictKind { pass, fail, inapplicable, unsupported, inconclusive, vacuous, hang, crash };

struct Verdict {
  std::string rule;
  std::string subject;
  std::string says;
  std::string source;
  Level level = Level::must;
  Layer layer = Layer::loop;
  VerdictKind kind = VerdictKind::inconclusive;
  std::string reason;  ///< unsupported verb, guard that never held, clause that failed first
  unsigned long runs = 0;
  unsigned long applicable = 0;
  unsigned long failed = 0;
  std::vector<std::string> required;
  std::vector<std::string> seen;     ///< of the first failing run
  std::vector<std::string> excerpt;  ///< of it: the smallest part that shows the failure; of a hang
                                     ///< or a crash the last events that were written
  unsigned long failed_run = 0;      ///< its number, from 0
  std::map<std::string, unsigned long> orders;  ///< profile and unspecified rules: order seen -> runs
  std::string reproduce;
  std::string known;  ///< why this violation is expected (expectations.h); "" = it is not
  std::string mode;   ///< of the player: cjs, esm, worker; "" = its default
  std::string condition = "idle";
  std::string trace;  ///< file that holds the first failing run; "" = none

  /// fail, hang or crash of a must or should rule: a finding unless an expectations file lists it.
  bool is_violation() const;
  /// Runs in which there was something to judge. Beside a live workload a single run applies a rule many
  /// times.
  unsigned long judged_runs() const;
  /// Share of the runs in which there was something to judge, from 0 to 1; 0 without a run.
  double applicability() const;
};

std::string_view name_of(VerdictKind kind);

/// A verdict with everything the rule says filled in, and no runs.
Verdict blank_verdict(const Rule& rule, const std::string& subject);

/// `tickmark.verdict/1` of docs/bundle.md.
nlohmann::ordered_json to_json(const Verdict& verdict);

/// Gathers the runs of one rule.
class Tally {
 public:
  Tally(const Rule& rule, const std::string& subject);

  void add(const RunVerdict& run);
  void unsupported(std::string reason);
  void died(bool hung, std::string reason);
  unsigned long runs() const { return verdict_.runs; }
  /// The player plays this one no more: what it has played is all.
  void no_more() { no_more_ = true; }
  bool settled() const { return settled_ || no_more_; }
  Verdict& verdict() { return verdict_; }
  /// The verdict over all runs; `expected_runs` fewer than played is inconclusive with `why_fewer`.
  Verdict close(unsigned long expected_runs, const std::string& why_fewer);

 private:
  const Rule* rule_;
  Verdict verdict_;
  unsigned long inconclusive_ = 0;
  std::string inconclusive_reason_;
  std::string inapplicable_reason_;
  bool no_more_ = false;
  bool settled_ = false;  ///< unsupported, hang or crash: no more runs are expected
};

}  // namespace tickmark::conformance
