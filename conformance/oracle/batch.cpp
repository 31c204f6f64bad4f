#include "conformance/oracle/batch.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <signal.h>

#include "conformance/oracle/excerpt.h"

namespace tickmark::conformance {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr Nanos kProcessAllowance = 10s;  // start-up of a slow runtime on a busy machine
// A run takes 1 to 10 ms, and dies of its own deadline if it hangs; a busy machine multiplies the former.
// This ends only players that do not even hear their own alarm.
constexpr Nanos kRunAllowance = 300ms;

Expected<fs::path> write_scenarios(const ConformPlan& plan, const Batch& batch) {
  json scenarios = json::array();
  for (const Entry* entry : batch.entries) {
    scenarios.push_back({{"id", entry->rule->id},
                         {"own_process", entry->rule->own_process},
                         {"run", entry->rule->run},
                         {"steps", entry->rule->steps}});
    if (!entry->rule->workload.empty()) scenarios.back()["workload"] = entry->rule->workload;
  }
  json document{{"schema", "tickmark.scenarios/1"},
                {"kind", "scenarios"},
                {"pool", batch.entries.front()->rule->pool},
                {"repeat", batch.repeat},
                {"deadline_ms", plan.run_deadline.count() / 1'000'000},
                {"scenarios", std::move(scenarios)}};
  if (plan.connections > 0) document["connections"] = plan.connections;
  const fs::path path = plan.folder / fmt::format("scenarios-{}.json", batch.lane);
  std::ofstream file(path, std::ios::trunc);
  file << document.dump() << '\n';
  file.close();
  if (!file) return environment_error(fmt::format("cannot write {}: is the disk full?", path.string()));
  return path;
}

std::vector<std::string> player_argv(const ConformPlan& plan, const Batch& batch, const fs::path& scenarios,
                                     const fs::path& trace) {
  // Some runtimes size their pool from the environment alone, before the first line of a player runs.
  std::vector<std::string> argv{"/usr/bin/env", "NO_COLOR=1",
                                fmt::format("UV_THREADPOOL_SIZE={}", batch.entries.front()->rule->pool)};
  std::ranges::copy(plan.argv, std::back_inserter(argv));
  for (const auto& word : {std::string("play"), std::string("--scenarios"), scenarios.string(),
                           std::string("--trace"), trace.string()}) {
    argv.push_back(word);
  }
  if (!batch.mode.empty()) {
    argv.emplace_back("--mode");
    argv.push_back(batch.mode);
  }
  return argv;
}

void keep_trace(const ConformPlan& plan, Verdict& verdict, const RunTrace& trace) {
  if (plan.traces.empty() || !verdict.trace.empty()) return;
  std::string name = plan.subject + "__" + verdict.rule + ".ndjson";
  std::ranges::replace(name, '/', '_');
  std::ofstream file(plan.traces / name, std::ios::trunc);
  file << trace.text;
  if (file) verdict.trace = name;
}

// Of the first run that failed; later ones show nothing new.
void keep_failure(const ConformPlan& plan, const Rule& rule, Verdict& verdict, const RunTrace& trace) {
  if (verdict.failed != 1) return;
  verdict.failed_run = verdict.runs - 1;  // a process of its own numbers each of its runs 0
  verdict.excerpt = excerpt(rule, trace, verdict.reason);
  keep_trace(plan, verdict, trace);
}

// Judges what the trace holds; returns how many runs of each entry it holds, or the sentence why it is
// damaged.
struct Reading {
  std::map<const Entry*, unsigned> runs;
  std::string damage;
  std::optional<RunTrace> unfinished{};  ///< the one the player died in, as far as it was written
};

Reading read_trace(const ConformPlan& plan, const Batch& batch, const fs::path& path) {
  Reading reading;
  std::map<std::string, Entry*> by_id;
  for (Entry* entry : batch.entries) by_id[entry->rule->id] = entry;
  std::ifstream stream(path);
  TraceReader reader(stream, path.filename().string());
  while (true) {
    auto item = reader.next();
    if (!item) {
      reading.damage = item.error().message;
      return reading;
    }
    if (!*item) {
      if (const RunTrace* last = reader.unfinished()) reading.unfinished = *last;
      return reading;
    }
    if (const auto* unsupported = std::get_if<Unsupported>(&**item)) {
      const auto found = by_id.find(unsupported->scenario);
      if (found == by_id.end()) continue;
      found->second->tally.unsupported(fmt::format("{}: {}", unsupported->verb, unsupported->reason));
      continue;
    }
    const auto& trace = std::get<RunTrace>(**item);
    const auto found = by_id.find(trace.scenario);
    if (found == by_id.end()) continue;
    Entry& entry = *found->second;
    ++reading.runs[&entry];
    const RunVerdict verdict = judge(*entry.rule, trace);
    entry.tally.add(verdict);
    if (trace.last) entry.tally.no_more();
    if (verdict.outcome == Outcome::fail) keep_failure(plan, *entry.rule, entry.tally.verdict(), trace);
  }
}

bool died(const ProcessResult& result) {
  return result.timed_out || result.signal != 0 || result.exit_code != 0;
}

// What the player itself measured, else what its runner did.
Hang hang_of(const ProcessResult& result, const Reading& reading) {
  if (reading.unfinished && reading.unfinished->hang.lasted > Nanos{0}) return reading.unfinished->hang;
  return result.hang;
}

std::string how_it_ended(const ProcessResult& result, const Hang& hang) {
  std::string text = result.timed_out           ? "the player was still running at its deadline"
                     : result.signal == SIGALRM ? "a run passed its deadline"
                     : result.signal != 0       ? fmt::format("the player died of signal {}", result.signal)
                                                : fmt::format("the player exited with {}", result.exit_code);
  if (const std::string times = times_text(hang); !times.empty()) text += ": " + times;
  if (!result.stderr_tail.empty()) text += ": " + result.stderr_tail.substr(0, 400);
  return text;
}

// The player died in a run of this entry.
void note_death(const ConformPlan& plan, Entry& entry, const ProcessResult& result, const Reading& reading) {
  const bool hung = result.timed_out || result.signal == SIGALRM;
  const Hang hang = hang_of(result, reading);
  const std::string reason = how_it_ended(result, hung ? hang : Hang{});
  if (hung && was_starved(hang)) {
    entry.tally.add({Outcome::inconclusive, "it was not given the machine, which is no hang: " + reason, {}});
  } else if (!hung && result.exit_code == 2 && result.signal == 0) {
    entry.tally.add({Outcome::inconclusive, reason, {}});
  } else {
    entry.tally.died(hung, reason);
  }
  Verdict& verdict = entry.tally.verdict();
  if (verdict.failed > 0 || !reading.unfinished || reading.unfinished->scenario != entry.rule->id) return;
  verdict.failed_run = verdict.runs - 1;
  verdict.excerpt = last_events(*reading.unfinished);
  keep_trace(plan, verdict, *reading.unfinished);
}

}  // namespace

Expected<void> play_batch(const ConformPlan& plan, const RunProcess& run, Batch batch) {
  while (!batch.entries.empty()) {
    const auto scenarios = write_scenarios(plan, batch);
    if (!scenarios) return std::unexpected(scenarios.error());
    const fs::path trace = plan.folder / fmt::format("trace-{}.ndjson", batch.lane);
    std::error_code ignored;
    fs::remove(trace, ignored);
    const Nanos deadline =
        kProcessAllowance + 2 * plan.run_deadline + kRunAllowance * batch.entries.size() * batch.repeat;
    const auto result = run(player_argv(plan, batch, *scenarios, trace), deadline);
    if (!result) return std::unexpected(result.error());
    const Reading reading = read_trace(plan, batch, trace);
    fs::remove(trace, ignored);
    if (!died(*result) && reading.damage.empty()) return {};

    // Scenarios are played in order: the first that lacks runs is the one the player died in.
    const auto culprit = std::ranges::find_if(batch.entries, [&](const Entry* entry) {
      const auto found = reading.runs.find(entry);
      return !entry->tally.settled() && (found == reading.runs.end() || found->second < batch.repeat);
    });
    if (culprit == batch.entries.end()) return {};
    if (died(*result))
      note_death(plan, **culprit, *result, reading);
    else
      (*culprit)->tally.add({Outcome::inconclusive, reading.damage, {}});
    batch.entries.erase(batch.entries.begin(), culprit + 1);
  }
  return {};
}

}  // namespace tickmark::conformance
