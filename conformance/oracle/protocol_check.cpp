#include "conformance/oracle/protocol_check.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "conformance/oracle/protocol_run.h"

namespace tickmark::conformance {

namespace {

using nlohmann::json;

struct EventKeys {
  std::string_view event;
  std::vector<std::string_view> texts;
  std::vector<std::string_view> numbers;
};

/// What every record of an event must carry: the table of docs/traces.md.
const std::array kRecordKeys{
    EventKeys{"trace", {"schema", "player"}, {"pool"}},
    EventKeys{"start", {"scenario"}, {"run", "time_ns"}},
    EventKeys{"schedule", {"label", "site", "cause"}, {"time_ns", "after_ns"}},
    EventKeys{"begin", {"label", "site", "cause"}, {"time_ns"}},
    EventKeys{"end", {"label", "site", "cause"}, {"time_ns"}},
    EventKeys{"complete", {"label"}, {"time_ns"}},
    EventKeys{"run", {"label", "status"}, {"time_ns"}},
    EventKeys{"unsupported", {"scenario", "verb", "reason"}, {}},
    EventKeys{"quiescent", {}, {"time_ns"}},
    EventKeys{"finish", {"scenario", "status"}, {"run"}},
    EventKeys{"hang", {"reason"}, {"lasted_ns", "cpu_ns", "waited_ns", "lost_ns"}},
};

/// Reads lines, and hands whole runs to RunCheck.
class TraceCheck {
 public:
  TraceCheck(const ProtocolCase& one, unsigned repeat) : case_(one), repeat_(one.own_process ? 1 : repeat) {}

  ProtocolReport read(std::istream& trace) {
    std::string line;
    while (std::getline(trace, line)) {
      ++line_;
      if (trace.eof()) {
        complain("the last line has no newline: it is taken for the rest of a crash and dropped");
        break;
      }
      const json record = json::parse(line, nullptr, false);
      if (!record.is_object())
        complain("is no JSON object; a trace has one per line");
      else if (has_keys(record))
        take(record);
    }
    finish();
    return std::move(report_);
  }

 private:
  void complain(const std::string& sentence) {
    if (said_.insert(sentence).second)
      report_.complaints.push_back(fmt::format("line {}: {}", line_, sentence));
  }

  bool has_keys(const json& record) {
    const std::string event =
        record.value("event", json()).is_string() ? record["event"].get<std::string>() : "";
    const auto known = std::ranges::find(kRecordKeys, event, &EventKeys::event);
    if (known == kRecordKeys.end()) {
      complain(fmt::format("the event \"{}\" is none of docs/traces.md", event));
      return false;
    }
    bool whole = true;
    for (const std::string_view key : known->texts)
      whole &= has(record, event, key, "a text", &json::is_string);
    for (const std::string_view key : known->numbers)
      whole &= has(record, event, key, "a whole number", &json::is_number_integer);
    return whole;
  }

  bool has(const json& record, const std::string& event, std::string_view key, std::string_view type,
           bool (json::*is_type)() const noexcept) {
    const auto found = record.find(key);
    if (found != record.end() && ((*found).*is_type)()) return true;
    complain(fmt::format("a record \"{}\" needs the key \"{}\", which is {}", event, key, type));
    return false;
  }

  void take(const json& record) {
    const auto event = record["event"].get<std::string>();
    if ((line_ == 1) != (event == "trace"))
      complain("the record \"trace\" is the first line of the file, and no other");
    if (event == "trace") return take_head(record);
    if (event == "unsupported") return take_unsupported(record);
    if (event == "start") return start(record);
    if (!run_)
      return complain(fmt::format("a record \"{}\" stands outside a run: no \"start\" before it", event));
    if (event == "finish") return end_run(record);
    if (event == "hang")
      return complain("the run passed its deadline: " + record["reason"].get<std::string>());
    for (const std::string& sentence : run_->take(record)) complain(sentence);
  }

  void take_head(const json& record) {
    if (record["schema"] != "tickmark.trace/1")
      complain("the schema is \"tickmark.trace/1\": this file claims to be something else");
  }

  void take_unsupported(const json& record) {
    if (record["scenario"] != case_.id) complain("\"unsupported\" names a scenario that was not asked for");
    if (record["reason"].get<std::string>().size() < 3) complain("\"unsupported\" needs a reason in words");
    report_.unsupported =
        fmt::format("{}: {}", record["verb"].get<std::string>(), record["reason"].get<std::string>());
  }

  void start(const json& record) {
    if (run_) complain("a run starts before the one before it has a \"finish\"");
    if (record["scenario"] != case_.id) complain("\"start\" names a scenario that was not asked for");
    if (record["run"] != report_.runs)
      complain(fmt::format("this is run {} of the scenario, counted from 0, and is called {}", report_.runs,
                           record["run"].dump()));
    run_.emplace(case_);
  }

  void end_run(const json& record) {
    if (record["status"] != "ok") {
      complain(fmt::format("the run finished with the status {}: {}", record["status"].dump(),
                           record.value("reason", "")));
    } else {
      for (const std::string& sentence : run_->finish()) complain(sentence);
    }
    run_.reset();
    ++report_.runs;
  }

  void finish() {
    if (line_ == 0) {
      report_.complaints.emplace_back("the trace is empty, or there is none at the path --trace names");
    } else if (!report_.unsupported.empty()) {
      if (report_.runs > 0) complain("a scenario is unsupported, or it has runs: not both");
    } else if (run_) {
      complain("the trace ends within a run: \"finish\" is missing");
    } else if (report_.runs != repeat_) {
      complain(fmt::format("the trace holds {} runs, \"repeat\" asked for {}", report_.runs, repeat_));
    }
  }

  const ProtocolCase& case_;
  unsigned repeat_;
  ProtocolReport report_;
  std::set<std::string> said_;
  size_t line_ = 0;
  std::optional<RunCheck> run_;
};

}  // namespace

ProtocolReport check_protocol(const ProtocolCase& one, unsigned repeat, std::istream& trace) {
  return TraceCheck(one, repeat).read(trace);
}

}  // namespace tickmark::conformance
