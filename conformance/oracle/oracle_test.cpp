// The oracle on literal rules and traces: every kind of verdict, and every refusal.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "conformance/oracle/conform.h"

namespace tickmark::conformance {
namespace {

constexpr const char* kHead = R"(says: A rule for a test.
level: must
layer: loop
source: this test
scenario:
  - timer: a
    ms: 1
  - timer: b
    ms: 2
)";

Rule rule(const std::string& tail) {
  auto parsed = parse_rule("test/rule", kHead + tail);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Rule{});
}

std::string refusal(const std::string& yaml) {
  const auto parsed = parse_rule("test/rule", yaml);
  EXPECT_FALSE(parsed) << yaml;
  return parsed ? "" : parsed.error().message;
}

TEST(Linter, accepts_every_rule_of_the_catalogue) {
  const std::filesystem::path root = std::string(TICKMARK_SOURCE_DIR) + "/conformance/rules";
  const auto rules = load_rules(root);
  ASSERT_TRUE(rules) << rules.error().message;
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    files += entry.path().extension() == ".yaml" ? 1 : 0;
  }
  EXPECT_EQ(rules->size(), files);
  EXPECT_GE(files, 50u);
}

TEST(Linter, names_what_is_wrong) {
  const std::string head = kHead;
  EXPECT_NE(refusal(head + "requires: [a < zz]\n").find("\"zz\" is used but nothing"), std::string::npos);
  EXPECT_NE(refusal(head).find("could not fail"), std::string::npos);
  EXPECT_NE(refusal(head + "requires: [a < b]\nbecause: x\n").find("unknown key \"because\""),
            std::string::npos);
  EXPECT_NE(refusal(head + "requires: [\"a b\"]\n").find("is no clause"), std::string::npos);
  EXPECT_NE(refusal(head + "requires: [\"begin(a) ~ end(b)\"]\n").find("is no clause"), std::string::npos);
  EXPECT_NE(refusal(head + "counts: {a: many}\n").find("is no count"), std::string::npos);
  EXPECT_NE(refusal(head + "  - timer: a\n    ms: 1\nrequires: [a]\n").find("used twice"), std::string::npos);
  EXPECT_NE(refusal(head + "  - clear: q\nrequires: [a]\n").find("\"q\""), std::string::npos);
  EXPECT_NE(refusal(head + "  - timr: q\nrequires: [a]\n").find("names no verb"), std::string::npos);
  EXPECT_NE(refusal(head + "  - timer: q\nrequires: [a]\n").find("needs \"ms\""), std::string::npos);
  EXPECT_NE(refusal("says: x y z\nlevel: maybe\nlayer: loop\nsource: abc\n").find("\"level\""),
            std::string::npos);
  EXPECT_NE(refusal("level: must\nlayer: loop\nsource: abc\n").find("\"says\""), std::string::npos);
  EXPECT_NE(refusal("says: x y z\nlevel: must\nlayer: loop\n").find("\"source\""), std::string::npos);
  EXPECT_NE(refusal("a: [").find("YAML"), std::string::npos);
}

// "a b" = main, then the callbacks a and b; "a!canceled" = with that status; "(a" and "a)" open and close
// one.
RunTrace trace(const std::string& order, Nanos gap = 10ms) {
  RunTrace run{.scenario = "test/rule", .run = 0};
  run.status = "ok";
  Nanos time{1'000'000'000};
  const auto add = [&](Event event, const std::string& label, const std::string& status = "") {
    Record record;
    record.event = event;
    record.label = label;
    record.status = status;
    record.time = time += gap;
    record.after = record.time;
    record.ms = 1;
    run.records.push_back(record);
  };
  add(Event::begin, "main");
  add(Event::schedule, "a");
  add(Event::schedule, "b");
  add(Event::end, "main");
  std::istringstream words(order);
  for (std::string word; words >> word;) {
    const size_t mark = word.find('!');
    const std::string label = word.substr(0, mark);
    const std::string status = mark == std::string::npos ? "" : word.substr(mark + 1);
    if (label.front() == '(') {
      add(Event::begin, label.substr(1));
    } else if (label.back() == ')') {
      add(Event::end, label.substr(0, label.size() - 1));
    } else {
      add(Event::begin, label, status);
      add(Event::end, label);
    }
  }
  return run;
}

Outcome outcome(const std::string& tail, const RunTrace& run) { return judge(rule(tail), run).outcome; }

TEST(Judge, requires_an_order_of_callbacks_that_all_ran) {
  EXPECT_EQ(outcome("requires: [a < b]", trace("a b")), Outcome::pass);
  EXPECT_EQ(outcome("requires: [a < b]", trace("b a")), Outcome::fail);
  EXPECT_EQ(outcome("requires: [a < b]", trace("a")), Outcome::fail);
  EXPECT_EQ(outcome("requires: [a < b]", trace("a b a")), Outcome::fail);
  EXPECT_EQ(outcome("requires: [a.1 < b < a.2]", trace("a b a")), Outcome::pass);
  EXPECT_EQ(outcome("requires: [b < a.last]", trace("a b a")), Outcome::pass);
  EXPECT_EQ(outcome("requires: [a < b]", trace("(a b a)")), Outcome::fail) << "nested is not before";
}

TEST(Judge, forbids_labels_orders_and_measures) {
  EXPECT_EQ(outcome("forbids: [b]", trace("a")), Outcome::pass);
  EXPECT_EQ(outcome("forbids: [b]", trace("a b")), Outcome::fail);
  EXPECT_EQ(outcome("forbids: [b < a]", trace("a b")), Outcome::pass);
  EXPECT_EQ(outcome("forbids: [b < a]", trace("a b a")), Outcome::fail);
  EXPECT_EQ(outcome("forbids: [a.2]", trace("a a")), Outcome::fail);
  EXPECT_EQ(outcome("forbids: [\"begin(a) > after(b)\"]", trace("a")), Outcome::fail);
  EXPECT_EQ(outcome("forbids: [\"begin(a) > after(b)\"]", trace("b")), Outcome::pass);
}

TEST(Judge, counts_statuses_and_measures) {
  EXPECT_EQ(outcome("counts: {a: 2}", trace("a a")), Outcome::pass);
  EXPECT_EQ(outcome("counts: {a: 2}", trace("a")), Outcome::fail);
  EXPECT_EQ(outcome("counts: {a: 1..2}", trace("a a a")), Outcome::fail);
  EXPECT_EQ(outcome("counts: {a: \">=1\"}", trace("b")), Outcome::fail);
  EXPECT_EQ(outcome("statuses: {a: canceled}", trace("a!canceled")), Outcome::pass);
  EXPECT_EQ(outcome("statuses: {a: canceled}", trace("a!canceled a")), Outcome::fail);
  EXPECT_EQ(outcome("statuses: {a: ok}", trace("b")), Outcome::fail);
  EXPECT_EQ(outcome("requires: [\"before(a) + ms(a) + 2ms <= begin(a)\"]", trace("a")), Outcome::pass);
  EXPECT_EQ(outcome("requires: [\"before(a) + ms(a) + 500ms <= begin(a)\"]", trace("a")), Outcome::fail);
}

TEST(Judge, a_guard_that_does_not_hold_makes_the_run_inapplicable) {
  EXPECT_EQ(outcome("when: [\"end(main) < begin(a)\"]\nrequires: [b < a]", trace("a b")), Outcome::fail);
  EXPECT_EQ(outcome("when: [\"begin(a) < end(main)\"]\nrequires: [b < a]", trace("a b")),
            Outcome::inapplicable);
  EXPECT_EQ(outcome("when: [\"complete(a) < end(main)\"]\nrequires: [b < a]", trace("a b")),
            Outcome::inapplicable);
}

TEST(Judge, a_damaged_trace_is_inconclusive) {
  EXPECT_EQ(outcome("requires: [a]", trace("(a")), Outcome::inconclusive);
  EXPECT_EQ(outcome("requires: [a]", trace("a)")), Outcome::inconclusive);
  RunTrace gave_up = trace("a");
  gave_up.status = "error";
  EXPECT_EQ(outcome("requires: [a]", gave_up), Outcome::inconclusive);
}

TEST(Versions, ranges_bind_only_what_a_subject_reports) {
  EXPECT_LT(compare_versions("1.44.2", "1.45"), 0);
  EXPECT_EQ(compare_versions("v20.0", "20"), 0);
  EXPECT_GT(compare_versions("1.100.0", "1.52.2-dev"), 0);
  const VersionRange range{{{"uv", "1.45"}}, {{"node", "26"}}};
  EXPECT_EQ(outside(range, {{"uv", "1.44.2"}}).value_or(""), "needs uv >= 1.45, this is 1.44.2");
  EXPECT_TRUE(outside(range, {{"uv", "1.52"}, {"node", "26.1"}}));
  EXPECT_FALSE(outside(range, {{"uv", "1.45.0"}, {"node", "25"}}));
  EXPECT_FALSE(outside(range, {}));
  EXPECT_EQ(parse_as("libuv@1.52").value().at("uv"), "1.52");
  EXPECT_FALSE(parse_as("libuv"));
}

std::string text_of(const std::string& scenario, unsigned run, const std::string& order) {
  std::string text =
      R"({"event":"start","scenario":")" + scenario + R"(","run":)" + std::to_string(run) + "}\n";
  std::istringstream words("main " + order);
  for (std::string word; words >> word;) {
    text += R"({"event":"begin","label":")" + word + "\"}\n" + R"({"event":"end","label":")" + word + "\"}\n";
  }
  return text + R"({"event":"finish","scenario":")" + scenario + R"(","status":"ok"})" + "\n";
}

TEST(TraceReader, refuses_damage_and_drops_an_incomplete_end) {
  const auto read = [](const std::string& text) {
    std::istringstream stream(text);
    return TraceReader(stream, "test").next();
  };
  EXPECT_TRUE(read(text_of("x", 0, "a")).value());
  EXPECT_FALSE(read("").value());
  EXPECT_FALSE(read(R"({"event":"start","scenario":"x")").value());
  EXPECT_FALSE(read("nonsense\n"));
  EXPECT_FALSE(read(R"({"event":"begun","label":"a"})"
                    "\n"));
  EXPECT_FALSE(read(R"({"event":"begin","label":7})"
                    "\n"));
  EXPECT_FALSE(read(R"({"event":"begin","label":"a"})"
                    "\n"))
      << "outside a run";
  EXPECT_FALSE(read(std::string(70'000, 'x') + "\n"));
}

// A player that writes what a table says, and ends as it says.
struct FakePlayer {
  std::vector<std::pair<std::string, ProcessResult>> processes;
  size_t started = 0;

  RunProcess runner() {
    return [this](const std::vector<std::string>& argv, Nanos) -> Expected<ProcessResult> {
      const auto& [text, result] = processes.at(started++);
      for (size_t i = 0; i + 1 < argv.size(); ++i) {
        if (argv[i] == "--trace") std::ofstream(argv[i + 1]) << text;
      }
      return result;
    };
  }
};

std::vector<Verdict> conform_fake(FakePlayer player, const std::vector<Rule>& rules, unsigned repeat = 1) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "oracle_test";
  std::filesystem::create_directories(folder);
  const ConformPlan plan{.subject = "fake",
                         .argv = {"fake"},
                         .versions = {{"uv", "1.44"}},
                         .rules = &rules,
                         .mode = "",
                         .repeat = repeat,
                         .folder = folder,
                         .traces = folder,
                         .progress = {}};
  return conform(plan, player.runner()).value();
}

std::vector<Rule> three_rules() {
  std::vector<Rule> rules(3, rule("requires: [a < b]"));
  rules[0].id = "x/first";
  rules[1].id = "x/second";
  rules[2].id = "x/third";
  return rules;
}

TEST(Conform, passes_fails_and_keeps_the_failing_run) {
  const auto verdicts = conform_fake(
      {{{text_of("x/first", 0, "a b") + text_of("x/second", 0, "b a") +
             R"({"event":"unsupported","scenario":"x/third","verb":"timer","reason":"no timers"})"
             "\n",
         {}}}},
      three_rules());
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0].kind, VerdictKind::pass);
  EXPECT_EQ(verdicts[1].kind, VerdictKind::fail);
  EXPECT_EQ(verdicts[1].seen, (std::vector<std::string>{"b", "a"}));
  EXPECT_FALSE(verdicts[1].trace.empty());
  EXPECT_EQ(to_json(verdicts[1])["required"][0], "a < b");
  EXPECT_EQ(verdicts[2].kind, VerdictKind::unsupported);
  EXPECT_EQ(verdicts[2].reason, "timer: no timers");
}

TEST(Conform, names_the_scenario_that_crashed_or_hung_and_plays_the_rest) {
  FakePlayer player{
      {{text_of("x/first", 0, "a b"), {.exit_code = 0, .signal = 11}}, {text_of("x/third", 0, "a b"), {}}}};
  auto verdicts = conform_fake(player, three_rules());
  EXPECT_EQ(verdicts[0].kind, VerdictKind::pass);
  EXPECT_EQ(verdicts[1].kind, VerdictKind::crash);
  EXPECT_EQ(verdicts[2].kind, VerdictKind::pass);
  player.processes[0].second = {.signal = SIGKILL, .timed_out = true};
  verdicts = conform_fake(player, three_rules());
  EXPECT_EQ(verdicts[1].kind, VerdictKind::hang);
  EXPECT_TRUE(verdicts[1].is_violation());
}

// A run that began and was ended at its deadline, with what the player measured until then.
std::string hung_text(const std::string& scenario, const std::string& measured) {
  const std::string text = text_of(scenario, 0, "a");
  return text.substr(0, text.rfind("{\"event\":\"finish\"")) + R"({"event":"hang",)" + measured +
         R"(,"reason":"main sleeps in futex"})" + "\n";
}

Verdict verdict_of_hang(const std::string& measured, ProcessResult result) {
  return conform_fake({{{text_of("x/first", 0, "a b") + hung_text("x/second", measured), std::move(result)},
                        {text_of("x/third", 0, "a b"), {}}}},
                      three_rules())[1];
}

TEST(Conform, shows_the_last_events_of_a_hang_and_accuses_nobody_who_was_not_given_the_machine) {
  const std::string idle = R"("lasted_ns":5000000000,"cpu_ns":9000000,"waited_ns":1000000,"lost_ns":0)";
  const Verdict hung = verdict_of_hang(idle, {.signal = SIGALRM});
  EXPECT_EQ(hung.kind, VerdictKind::hang);
  EXPECT_EQ(hung.reason,
            "a run passed its deadline: in 5.00 s it used 0.01 s of CPU, was ready for one for 0.00 s and "
            "stood still "
            "for 0.00 s; main sleeps in futex");
  ASSERT_EQ(hung.excerpt.size(), 1u);
  EXPECT_NE(hung.excerpt[0].find("a runs"), std::string::npos) << hung.excerpt[0];
  EXPECT_FALSE(hung.trace.empty());

  const std::string starved =
      R"("lasted_ns":5000000000,"cpu_ns":9000000,"waited_ns":2000000000,"lost_ns":900000000)";
  const Verdict spared = verdict_of_hang(starved, {.signal = SIGALRM});
  EXPECT_EQ(spared.kind, VerdictKind::inconclusive);
  EXPECT_NE(spared.reason.find("not given the machine"), std::string::npos) << spared.reason;
  EXPECT_FALSE(spared.is_violation());
  const std::string spun = R"("lasted_ns":5000000000,"cpu_ns":1700000000,"waited_ns":3300000000,"lost_ns":0)";
  EXPECT_EQ(verdict_of_hang(spun, {.signal = SIGALRM}).kind, VerdictKind::hang)
      << "it looped, beside two others";
}

TEST(Conform, a_scenario_that_its_player_gives_up_is_judged_by_what_was_played_and_blamed_for_nothing_later) {
  std::string given_up = text_of("x/first", 0, "a b");
  given_up.insert(given_up.rfind('}'), R"(,"last":true)");
  const auto verdicts = conform_fake(
      {{{given_up, {.signal = SIGSEGV}}, {text_of("x/third", 0, "a b") + text_of("x/third", 1, "a b"), {}}}},
      three_rules(), 2);
  EXPECT_EQ(verdicts[0].kind, VerdictKind::pass) << verdicts[0].reason;
  EXPECT_EQ(verdicts[0].runs, 1u);
  EXPECT_EQ(verdicts[1].kind, VerdictKind::crash);
  EXPECT_EQ(verdicts[2].kind, VerdictKind::pass);
}

TEST(Conform, asks_the_runner_about_a_player_that_says_nothing) {
  FakePlayer player{{{"", {.timed_out = true, .hang = {.lasted = 10s, .cpu = 10ms, .waited = 6s}}},
                     {text_of("x/second", 0, "a b") + text_of("x/third", 0, "a b"), {}}}};
  EXPECT_EQ(conform_fake(player, three_rules())[0].kind, VerdictKind::inconclusive);
  player.processes[0].second.hang.waited = 1s;
  EXPECT_EQ(conform_fake(player, three_rules())[0].kind, VerdictKind::hang);
  player.processes[0].second.hang = {.lasted = 26s, .cpu = 2900ms, .waited = 27s};
  EXPECT_EQ(conform_fake(player, three_rules())[0].kind, VerdictKind::inconclusive) << "a tenth of a CPU";
  player.processes[0].second.hang.waited = 14s;
  EXPECT_EQ(conform_fake(player, three_rules())[0].kind, VerdictKind::hang);
}

TEST(Conform, says_vacuous_inapplicable_and_inconclusive) {
  auto rules = three_rules();
  rules[0].when = {parse_clause("begin(b) < begin(a)").value()};
  rules[1].versions.since = {{"uv", "1.45"}};
  const auto verdicts = conform_fake({{{text_of("x/first", 0, "a b"), {}}}}, rules);
  EXPECT_EQ(verdicts[0].kind, VerdictKind::vacuous);
  EXPECT_EQ(verdicts[1].kind, VerdictKind::inapplicable);
  EXPECT_EQ(verdicts[2].kind, VerdictKind::inconclusive);
}

}  // namespace
}  // namespace tickmark::conformance
