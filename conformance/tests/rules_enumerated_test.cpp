// Every legal interleaving of every scenario that is small enough, in virtual time: what is ready comes in
// every order and in every turn, and once per run the thread stalls, at every point. All rules accept all of
// them, what they require holds in each, and where they say that an order is free, both occur.
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "conformance/oracle/judge.h"
#include "conformance/players/refloop_machine.h"
#include "conformance/tests/play_rules.h"
#include "reference-loop/simulation.h"

namespace tickmark::conformance::rules_enumerated_test {
namespace {

constexpr uint64_t kRunsMost = 1500;  // of one scenario; one that has more is not small
constexpr Nanos kStall = 30ms;        // longer than what scenarios wait for
constexpr Nanos kReadTime{40};

// Rules whose order is free, but of which the reference loop has one: how it does it is its own business.
const std::set<std::string> kOneOrderHere{"async/order_of_different_handles",
                                          "streams/own_write_and_peer_read"};

// A minute stands for never in it; but the simulation puts off what is ready for as long as it likes.
const std::set<std::string> kTimed{"loop/completion_keeps_poll_from_waiting"};

// Verbs whose world is simulated as a whole: other descriptors, threads and processes are real, and no run of
// them repeats.
const std::set<std::string_view> kSimulated{
    "tick",    "microtask", "promise",   "immediate", "timeout",   "interval",
    "timer",   "idle",      "prepare",   "check",     "async",     "fs_stat",
    "fs_read", "close",     "tcp_pair",  "write",     "read",      "shutdown",
    "clear",   "refresh",   "restart",   "again",     "ref",       "unref",
    "cancel",  "send",      "read_stop", "busy",      "stop_loop", "busy_until_overdue"};

bool is_simulated(const std::vector<Step>& steps) {
  return std::ranges::all_of(steps, [](const Step& step) {
    bool inner = is_simulated(step.then) && is_simulated(step.eof_then);
    for (const auto& [number, nested] : step.at) inner = inner && is_simulated(nested);
    return inner && kSimulated.contains(name_of(step.verb));
  });
}

// One rule's scenario as the player gets it.
Scenario scenario_of(const Rule& rule, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "scenario.json";
  const nlohmann::json document{
      {"schema", "tickmark.scenarios/1"},
      {"kind", "scenarios"},
      {"pool", rule.pool},
      {"repeat", 1},
      {"deadline_ms", 5000},
      {"scenarios",
       {{{"id", rule.id}, {"own_process", rule.own_process}, {"run", rule.run}, {"steps", rule.steps}}}}};
  std::ofstream(path) << document.dump();
  return read_scenario_file(path).value().scenarios.front();
}

struct Enumerated {
  uint64_t runs = 0;
  bool complete = false;
  std::map<Outcome, uint64_t> outcomes{};
  std::set<std::vector<std::string>> orders{};  // of what the rule observes
  std::string failure{};
};

// Plays every run into a trace file.
void play_all(const Rule& rule, const Scenario& scenario, const std::filesystem::path& trace,
              Enumerated& seen) {
  auto recorder = Recorder::open(trace, "reference_loop", rule.pool).value();
  refloop::Explorer explorer;
  while (explorer.next()) {
    if (explorer.runs() > kRunsMost) return;
    refloop::SimulationOptions options = refloop::SimulationOptions::every_order(explorer);
    options.patience = 2;
    if (rule.level == Level::unspecified) options.close_deferred_permille = 500;
    refloop::Simulation simulation(options);
    bool may_stall = true;
    recorder.set_clock([&] {
      const bool stalls = may_stall && explorer.chance(500);
      may_stall = may_stall && !stalls;
      simulation.spend(stalls ? kStall : kReadTime);
      return simulation.now();
    });
    recorder.start(rule.id, static_cast<unsigned>(explorer.runs()));
    {
      RefloopMachine machine(
          recorder,
          {.backend = refloop::BackendKind::simulated, .pool_size = rule.pool, .simulation = &simulation},
          refloop::MainKind::script);
      machine.play(scenario);
      may_stall = false;
    }
    ASSERT_TRUE(recorder.finish());
    seen.runs = explorer.runs();
  }
  seen.complete = true;
}

void judge_all(const Rule& rule, const std::filesystem::path& trace, Enumerated& seen) {
  std::ifstream stream(trace);
  TraceReader reader(stream, "trace");
  while (true) {
    const auto item = reader.next();
    ASSERT_TRUE(item) << item.error().message;
    if (!*item) return;
    const auto& run = std::get<RunTrace>(**item);
    const RunVerdict verdict = judge(rule, run);
    ++seen.outcomes[verdict.outcome];
    if (verdict.outcome == Outcome::fail && seen.failure.empty())
      seen.failure = verdict.reason + "\n" + run.text;
    std::vector<std::string> order;
    for (const std::string& label : verdict.seen) {
      if (std::ranges::find(rule.observes, label) != rule.observes.end()) order.push_back(label);
    }
    seen.orders.insert(order);
  }
}

std::vector<std::string> small_rules() {
  std::vector<std::string> ids;
  for (const Rule& rule : all_rules()) {
    const bool in_a_script = std::ranges::find(rule.modes, "cjs") != rule.modes.end();
    if (rule.builtin.empty() && rule.layer != Layer::wire && in_a_script) ids.push_back(rule.id);
  }
  return ids;
}

class EnumeratedRule : public testing::TestWithParam<std::string> {};

TEST_P(EnumeratedRule, holds_in_every_interleaving) {
  const Rule rule = select({GetParam()}).front();
  if (kTimed.contains(rule.id)) GTEST_SKIP() << "it holds on a machine that does not stall for a minute";
  const ScratchFolder scratch;
  const Scenario scenario = scenario_of(rule, scratch.path());
  if (!is_simulated(scenario.steps)) GTEST_SKIP() << "a part of its world is real";
  Enumerated seen;
  play_all(rule, scenario, scratch.path() / "trace.ndjson", seen);
  judge_all(rule, scratch.path() / "trace.ndjson", seen);
  RecordProperty("runs", static_cast<int>(seen.runs));
  EXPECT_EQ(seen.outcomes[Outcome::fail], 0u) << rule.says << "\n" << seen.failure;
  EXPECT_EQ(seen.outcomes[Outcome::inconclusive], 0u);
  if (rule.level == Level::must || rule.level == Level::should) {
    EXPECT_GT(seen.outcomes[Outcome::pass], 0u) << "its guard holds in no run";
  }
  if (rule.level == Level::unspecified && !kOneOrderHere.contains(rule.id)) {
    EXPECT_GE(seen.orders.size(), 2u) << "said to be free, but there is one order";
  }
  if (!seen.complete) GTEST_SKIP() << "more than " << kRunsMost << " interleavings: those were judged";
}

INSTANTIATE_TEST_SUITE_P(Rules, EnumeratedRule, testing::ValuesIn(small_rules()), [](const auto& each) {
  std::string name = each.param;
  std::ranges::replace(name, '/', '_');
  return name;
});

}  // namespace
}  // namespace tickmark::conformance::rules_enumerated_test
