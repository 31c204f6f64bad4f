#include "conformance/oracle/background.h"

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/oracle/generic_rules.h"

namespace tickmark::conformance {

namespace {

using nlohmann::json;

constexpr size_t kLineBytesMax = 4096;

struct Judged {
  const Rule* rule;
  std::unique_ptr<GenericRule> predicate;
};

// A line of the trace, as the one or two records it stands for.
struct Line {
  std::string event;
  std::string kind;
  std::string phase;
  LoopRecord record;
  Nanos end{0};
};

bool read_line(const std::string& text, Line& line) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return false;
  try {
    line.event = object.value("event", "");
    line.kind = object.value("cause", "");
    line.phase = object.value("phase", "");
    line.record = LoopRecord{.kind = line.kind,
                             .phase = line.phase,
                             .id = object.value<uint64_t>("id", 0),
                             .iteration = object.value<uint64_t>("iteration", 0),
                             .group = object.value<uint64_t>("group", 0),
                             .count = object.value<uint64_t>("count", 1),
                             .time = Nanos{object.value<int64_t>("time_ns", 0)},
                             .loop_now = Nanos{object.value<int64_t>("loop_now_ns", 0)},
                             .due = Nanos{object.value<int64_t>("due_ns", -1)},
                             .thread = object.value<int64_t>("thread", 0)};
    line.end = Nanos{object.value<int64_t>("end_ns", 0)};
  } catch (const json::exception&) {
    return false;
  }
  return true;
}

void feed(std::vector<Judged>& judged, const LoopRecord& record) {
  for (Judged& one : judged) one.predicate->see(record);
}

bool feed_line(std::vector<Judged>& judged, Line& line) {
  LoopRecord& record = line.record;
  if (line.event == "schedule")
    record.event = LoopEvent::schedule;
  else if (line.event == "begin" || line.event == "call")
    record.event = LoopEvent::begin;
  else if (line.event == "end")
    record.event = LoopEvent::end;
  else if (line.event == "complete")
    record.event = LoopEvent::complete;
  else
    return false;
  feed(judged, record);
  if (line.event != "call") return true;
  record.event = LoopEvent::end;
  record.time = line.end;
  feed(judged, record);
  return true;
}

Verdict close(const Judged& judged, const std::string& subject) {
  Verdict verdict = blank_verdict(*judged.rule, subject);
  const GenericRule& predicate = *judged.predicate;
  verdict.condition = "background";
  verdict.runs = 1;
  verdict.applicable = predicate.applicable();
  verdict.failed = predicate.failed();
  verdict.reproduce =
      fmt::format("tickmark conform {} --rule {} --under-load 5000", subject, judged.rule->id);
  if (predicate.failed() > 0) {
    verdict.kind = VerdictKind::fail;
    verdict.reason = predicate.first_failure();
  } else if (predicate.applicable() < kApplicableMin) {
    verdict.kind = VerdictKind::vacuous;
    verdict.reason = fmt::format("applied {} times, {} are needed", predicate.applicable(), kApplicableMin);
  } else {
    verdict.kind = VerdictKind::pass;
  }
  return verdict;
}

}  // namespace

Expected<void> write_background_scenario(const std::filesystem::path& path, uint64_t seed, Nanos duration,
                                         Nanos deadline, unsigned pool) {
  const json document{{"schema", "tickmark.scenarios/1"},
                      {"kind", "background"},
                      {"pool", pool},
                      {"seed", seed},
                      {"duration_ms", duration.count() / 1'000'000},
                      {"deadline_ms", deadline.count() / 1'000'000}};
  std::ofstream file(path, std::ios::trunc);
  file << document.dump() << '\n';
  file.close();
  if (!file) return environment_error(fmt::format("cannot write {}: is the disk full?", path.string()));
  return {};
}

Expected<std::vector<Verdict>> judge_background(const std::filesystem::path& trace,
                                                const std::vector<Rule>& rules, const std::string& subject) {
  std::vector<Judged> judged;
  for (const Rule& rule : rules) {
    if (!rule.builtin.empty()) judged.push_back({&rule, make_generic_rule(rule.builtin)});
  }
  std::ifstream stream(trace);
  std::string text;
  Line line;
  const auto refuse = [&](size_t number, std::string_view why) {
    return subject_error(fmt::format("background trace {} line {}: {}", trace.string(), number, why));
  };
  if (!std::getline(stream, text)) return refuse(1, "is missing: the player wrote nothing");
  const json head = json::parse(text, nullptr, false);
  if (!head.is_object() || head.value("schema", "") != "tickmark.trace/1" ||
      head.value("kind", "") != "background") {
    return refuse(1, "is not the head of a background trace of schema tickmark.trace/1");
  }
  for (size_t number = 2; std::getline(stream, text); ++number) {
    if (stream.eof()) break;  // an incomplete last line
    if (text.size() > kLineBytesMax) return refuse(number, "is longer than 4096 bytes");
    if (!read_line(text, line)) return refuse(number, "is no record of docs/traces.md");
    if (!feed_line(judged, line)) return refuse(number, "has an unknown event");
  }
  std::vector<Verdict> verdicts;
  for (Judged& one : judged) {
    one.predicate->finish();
    verdicts.push_back(close(one, subject));
  }
  return verdicts;
}

}  // namespace tickmark::conformance
