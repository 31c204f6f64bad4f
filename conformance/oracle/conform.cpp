#include "conformance/oracle/conform.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <mutex>

#include "conformance/oracle/batch.h"
#include "conformance/oracle/lanes.h"

namespace tickmark::conformance {

namespace {

// So many runs in one process, that a hang a player cannot notice itself is found within a minute.
constexpr unsigned kBatchRunsMax = 2000;
// With several lanes a group of rules is cut into parts, so that none waits long for the last; but a process
// is started for each, which costs as much as some rules.
constexpr size_t kPartsPerLane = 3;
constexpr size_t kPartRulesMin = 8;
constexpr size_t kWirePartRulesMin = 3;  // these take their time

bool speaks_of(const Rule& rule, std::string_view mode) {
  return rule.layer != Layer::node || std::ranges::find(rule.modes, mode) != rule.modes.end();
}

// Where main runs: as the plan says, else in a script, unless the rule speaks of something else only.
std::string mode_for(const ConformPlan& plan, const Rule& rule) {
  return !plan.mode.empty() || speaks_of(rule, "cjs") ? plan.mode : rule.modes.front();
}

bool has_verb(const nlohmann::json& steps, std::string_view verb) {
  return steps.dump().find(fmt::format("\"verb\":\"{}\"", verb)) != std::string::npos;
}

// What a single turn does, and whether a loop is alive, is about all that lives in it: also about sockets of
// others.
bool speaks_of_the_whole_loop(const Rule& rule) {
  const auto is_turn_of_its_own = [](const nlohmann::json& turn) {
    return turn.value("mode", "default") != "default" || turn.contains("label");
  };
  return std::ranges::any_of(rule.run, is_turn_of_its_own) || has_verb(rule.steps, "is_alive");
}

// Why the rule is not asked at all; nothing when it is.
std::optional<std::string> not_asked(const ConformPlan& plan, const Rule& rule) {
  if (auto reason = outside(rule.versions, plan.versions)) return reason;
  for (const auto& [component, reason] : rule.not_for) {
    if (plan.versions.contains(component)) return "does not speak about this interface: " + reason;
  }
  if (!plan.mode.empty() && !speaks_of(rule, plan.mode))
    return fmt::format("speaks of {} only", fmt::join(rule.modes, ", "));
  if (plan.connections > 0 && rule.own_process)
    return "needs a process of its own, which nobody is connected to";
  if (plan.connections > 0 && speaks_of_the_whole_loop(rule))
    return "asks what the whole loop does, and others live in it";
  return std::nullopt;
}

class Conformance {
 public:
  Conformance(const ConformPlan& plan, const RunProcess& run) : plan_(plan), run_(run) {}

  Expected<std::vector<Verdict>> judge_all() {
    for (const Rule& rule : *plan_.rules) {
      if (!rule.builtin.empty() || (rule.layer == Layer::wire) != plan_.wire) continue;
      entries_.push_back({&rule, Tally(rule, plan_.subject)});
      if (auto reason = not_asked(plan_, rule)) {
        inapplicable_[&entries_.back()] = *reason;
        ++done_;
      } else if (plan_.wire && std::ranges::find(plan_.serves, rule.workload) == plan_.serves.end()) {
        entries_.back().tally.unsupported(fmt::format("it does not serve the workload {}", rule.workload));
        ++done_;
      } else if (plan_.apart || (rule.own_process && !plan_.fresh_loops)) {
        alone_.push_back(&entries_.back());
      } else {
        shared_[{rule.pool, mode_for(plan_, rule)}].push_back(&entries_.back());
      }
    }
    report();
    for (auto& [needs, entries] : shared_) share(entries, needs.second);
    for (Entry* entry : alone_) {
      tasks_.emplace_back([this, entry](unsigned lane) { return play_alone(*entry, lane); });
    }
    if (const auto played = run_in_lanes(plan_.lanes, tasks_); !played)
      return std::unexpected(played.error());
    return close();
  }

 private:
  void report(size_t settled = 0) {
    const std::lock_guard lock(report_mutex_);
    done_ += settled;
    if (plan_.progress) plan_.progress(done_, entries_.size());
  }

  size_t rules_per_process(size_t rules) const {
    const size_t most = std::max<size_t>(1, kBatchRunsMax / plan_.repeat);
    if (plan_.lanes == 1) return most;
    const size_t parts = kPartsPerLane * plan_.lanes;
    const size_t least = plan_.wire ? kWirePartRulesMin : kPartRulesMin;
    return std::min(most, std::max(least, (rules + parts - 1) / parts));
  }

  void share(const std::vector<Entry*>& entries, const std::string& mode) {
    const size_t per_process = rules_per_process(entries.size());
    for (size_t first = 0; first < entries.size(); first += per_process) {
      const size_t last = std::min(entries.size(), first + per_process);
      Batch batch{{entries.begin() + first, entries.begin() + last}, plan_.repeat, mode};
      tasks_.emplace_back([this, batch](unsigned lane) { return play_together(batch, lane); });
    }
  }

  Expected<void> play_together(Batch batch, unsigned lane) {
    batch.lane = lane;
    const size_t rules = batch.entries.size();
    if (const auto played = play_batch(plan_, run_, std::move(batch)); !played) return played;
    report(rules);
    return {};
  }

  Expected<void> play_alone(Entry& entry, unsigned lane) {
    for (unsigned i = 0; i < plan_.repeat && !entry.tally.settled(); ++i) {
      const auto played = play_batch(plan_, run_, {{&entry}, 1, mode_for(plan_, *entry.rule), lane});
      if (!played) return played;
    }
    report(1);
    return {};
  }

  // What the plan adds: under which mode, and how to see it again where not every run shows it.
  void finish(const Rule& rule, Verdict& verdict) const {
    verdict.mode = mode_for(plan_, rule);
    if (plan_.connections > 0) {
      verdict.condition = "under load";
      verdict.reproduce += fmt::format(" --under-load {}", plan_.connections);
    }
    if (!plan_.mode.empty()) verdict.reproduce += " --mode " + plan_.mode;
    if (!plan_.judged_as.empty()) verdict.reproduce += " --as " + plan_.judged_as;
    if (verdict.failed > 0 && verdict.failed < verdict.runs)
      verdict.reproduce += fmt::format(" --repeat {}", plan_.repeat);
  }

  std::vector<Verdict> close() {
    std::vector<Verdict> verdicts;
    for (Entry& entry : entries_) {
      const auto reason = inapplicable_.find(&entry);
      if (reason == inapplicable_.end()) {
        verdicts.push_back(entry.tally.close(plan_.repeat, "the player ended early without saying why"));
      } else {
        Verdict& verdict = verdicts.emplace_back(entry.tally.verdict());
        verdict.kind = VerdictKind::inapplicable;
        verdict.reason = reason->second;
      }
      finish(*entry.rule, verdicts.back());
    }
    return verdicts;
  }

  const ConformPlan& plan_;
  const RunProcess& run_;
  std::deque<Entry> entries_;  // a deque: batches hold pointers
  std::map<const Entry*, std::string> inapplicable_;
  std::map<std::pair<unsigned, std::string>, std::vector<Entry*>> shared_;  // by pool and mode
  std::vector<Entry*> alone_;
  std::vector<std::function<Expected<void>(unsigned lane)>> tasks_;
  std::mutex report_mutex_;
  size_t done_ = 0;
};

}  // namespace

Expected<std::vector<Verdict>> conform(const ConformPlan& plan, const RunProcess& run) {
  return Conformance(plan, run).judge_all();
}

}  // namespace tickmark::conformance
