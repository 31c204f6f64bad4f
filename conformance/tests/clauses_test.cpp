// Every clause of every rule can fail: a clause that no disturbance of a conforming trace violates would be a
// rule that passes whatever a loop does.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>

#include "conformance/oracle/conform.h"
#include "conformance/tests/play_rules.h"

namespace tickmark::conformance {
namespace {

using Records = std::vector<Record>;

using Traces = std::map<std::string, RunTrace>;

// One conforming run of every rule that has none yet and that the player can be asked, added to `traces`.
void record_traces(const std::vector<std::string>& player, std::vector<Rule> rules, Traces& traces,
                   const std::vector<std::string>& options = {}) {
  std::erase_if(rules, [&](const Rule& rule) { return traces.contains(rule.id); });
  const ScratchFolder scratch;
  const ConformPlan plan{.subject = "player",
                         .argv = player,
                         .versions = {},
                         .rules = &rules,
                         .mode = "",
                         .repeat = 5,
                         .folder = scratch.path(),
                         .traces = {},
                         .progress = {}};
  const RunProcess keep = [&](std::vector<std::string> argv, Nanos deadline) {
    std::ranges::copy(options, std::back_inserter(argv));
    const auto result = run_process(argv, deadline);
    std::ifstream stream(*(std::ranges::find(argv, "--trace") + 1));
    TraceReader reader(stream, "kept");
    while (true) {
      auto item = reader.next();
      if (!item || !*item) return result;
      auto* run = std::get_if<RunTrace>(&**item);
      if (run == nullptr) continue;
      // On a busy machine a guard may not hold in some runs: those show nothing.
      const auto rule = std::ranges::find(rules, run->scenario, &Rule::id);
      if (judge(*rule, *run).outcome == Outcome::pass) traces[run->scenario] = std::move(*run);
    }
  };
  EXPECT_TRUE(conform(plan, keep));
}

// What Node has above its loop, and the reference loop has not, where there is a Node.
void record_library_traces(std::vector<Rule> rules, Traces& traces) {
  if (std::system("command -v node >/dev/null") != 0) return;
  std::erase_if(rules, [&](const Rule& rule) { return rule.layer != Layer::node; });
  record_traces({"node", (kSource / "baselines/node/main.cjs").string()}, rules, traces);
}

Rule without_clauses(const Rule& rule) {
  Rule bare = rule;
  bare.required.clear();
  bare.forbidden.clear();
  bare.when.clear();
  bare.counts.clear();
  bare.statuses.clear();
  bare.bytes.clear();
  return bare;
}

// One rule per clause, so that none hides behind another.
std::vector<Rule> single_clauses(const Rule& rule) {
  std::vector<Rule> singles;
  const auto add = [&](const std::function<void(Rule&)>& keep) {
    keep(singles.emplace_back(without_clauses(rule)));
  };
  for (const Clause& clause : rule.required) add([&](Rule& one) { one.required = {clause}; });
  for (const Clause& clause : rule.forbidden) add([&](Rule& one) { one.forbidden = {clause}; });
  for (const auto& count : rule.counts) add([&](Rule& one) { one.counts.insert(count); });
  for (const auto& status : rule.statuses) add([&](Rule& one) { one.statuses.insert(status); });
  for (const auto& bytes : rule.bytes) add([&](Rule& one) { one.bytes.insert(bytes); });
  return singles;
}

// Callbacks as blocks from begin to end; everything else alone.
std::vector<Records> blocks_of(const Records& records) {
  std::vector<Records> blocks;
  unsigned depth = 0;
  for (const Record& record : records) {
    if (depth == 0) blocks.emplace_back();
    blocks.back().push_back(record);
    if (record.event == Event::begin) ++depth;
    if (record.event == Event::end) --depth;
  }
  return blocks;
}

Records joined(const std::vector<Records>& blocks) {
  Records records;
  for (const Records& block : blocks) records.insert(records.end(), block.begin(), block.end());
  return records;
}

Record made(Event event, const std::string& label) {
  Record record;
  record.event = event;
  record.label = label;
  record.time = Nanos{INT64_C(1) << 60};
  return record;
}

// All ways in which a run is disturbed around one label.
std::vector<Records> disturbances(const Records& base, const std::string& label) {
  std::vector<Records> list;
  auto blocks = blocks_of(base);
  const auto is_mine = [&](const Records& block) {
    return block.front().event != Event::schedule && block.front().label == label;
  };
  auto reversed = blocks;
  std::ranges::reverse(reversed);
  list.push_back(joined(reversed));
  const Records inserted{made(Event::begin, label), made(Event::end, label)};
  for (const bool front : {true, false}) {
    auto more = blocks;
    more.insert(front ? more.begin() : more.end(), inserted);
    list.push_back(joined(more));
    more.insert(front ? more.begin() : more.end(), inserted);
    list.push_back(joined(more));
  }
  auto fewer = blocks;
  std::erase_if(fewer, is_mine);
  list.push_back(joined(fewer));
  auto completed = blocks;
  completed.push_back({made(Event::complete, label)});
  list.push_back(joined(completed));
  const auto change = [&](const std::function<void(Record&)>& how) {
    Records changed = base;
    for (Record& record : changed) {
      if (record.label == label) how(record);
    }
    list.push_back(std::move(changed));
  };
  change([](Record& record) { record.status = record.status == "error" ? "other" : "error"; });
  change([](Record& record) { record.bytes += 1; });
  for (const Nanos shift : {Nanos{-1'000'000'000'000}, Nanos{1'000'000'000'000}}) {
    change([&](Record& record) { record.time += record.event == Event::begin ? shift : Nanos{0}; });
    change([&](Record& record) { record.time += record.event == Event::complete ? shift : Nanos{0}; });
    change([&](Record& record) {
      if (record.event == Event::begin && record.loop_now >= Nanos{0}) {
        record.loop_now = std::max(Nanos{0}, record.loop_now + shift);
      }
    });
  }
  return list;
}

std::vector<std::string> labels_of(const Rule& rule) {
  std::vector<std::string> labels;
  for (const auto* list : {&rule.required, &rule.forbidden}) {
    for (const Clause& clause : *list) std::ranges::copy(clause.labels(), std::back_inserter(labels));
  }
  for (const auto& [label, range] : rule.counts) labels.push_back(label);
  for (const auto& [label, status] : rule.statuses) labels.push_back(label);
  for (const auto& [label, bytes] : rule.bytes) labels.push_back(label);
  return labels;
}

bool can_fail(const Rule& rule, const RunTrace& base) {
  for (const std::string& label : labels_of(rule)) {
    for (Records& records : disturbances(base.records, label)) {
      RunTrace disturbed = base;
      disturbed.records = std::move(records);
      if (judge(rule, disturbed).outcome == Outcome::fail) return true;
    }
  }
  return false;
}

TEST(EveryRule, has_no_clause_that_cannot_fail) {
  if (kSanitized) GTEST_SKIP() << "this tests the rules, and no code";
  std::vector<Rule> rules = all_rules();
  std::erase_if(rules, [](const Rule& rule) { return rule.layer == Layer::wire; });  // see wire_test.cpp
  Traces traces;
  record_traces({kBin + "player_refloop"}, rules, traces, in_virtual_time(1));
  record_traces({kBin + "player_refloop"}, rules, traces);  // whose world is not simulated
  record_traces({kBin + "player_asio"}, rules, traces);
  const size_t of_the_loop = traces.size();
  record_library_traces(rules, traces);
  const bool has_node = traces.size() > of_the_loop;
  unsigned clauses = 0;
  for (const Rule& rule : rules) {
    if (!rule.builtin.empty()) continue;
    if (!has_node && rule.layer == Layer::node && !traces.contains(rule.id)) continue;
    ASSERT_TRUE(traces.contains(rule.id)) << rule.id;
    const RunTrace& base = traces.at(rule.id);
    for (const Rule& single : single_clauses(rule)) {
      ++clauses;
      const RunVerdict verdict = judge(single, base);
      EXPECT_EQ(verdict.outcome, Outcome::pass) << rule.id << ": " << verdict.reason;
      EXPECT_TRUE(can_fail(single, base)) << rule.id << ": " << single.requirement_texts().front();
    }
  }
  EXPECT_GE(clauses, 250u);
}

}  // namespace
}  // namespace tickmark::conformance
