#include "conformance/players/scenario.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace tickmark::conformance {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 33> kVerbNames{"tick",
                                                      "microtask",
                                                      "promise",
                                                      "immediate",
                                                      "timeout",
                                                      "interval",
                                                      "timer",
                                                      "idle",
                                                      "prepare",
                                                      "check",
                                                      "async",
                                                      "work",
                                                      "fs_stat",
                                                      "fs_read",
                                                      "close",
                                                      "tcp_pair",
                                                      "connect",
                                                      "write",
                                                      "read",
                                                      "shutdown",
                                                      "clear",
                                                      "refresh",
                                                      "restart",
                                                      "again",
                                                      "ref",
                                                      "unref",
                                                      "cancel",
                                                      "send",
                                                      "read_stop",
                                                      "busy",
                                                      "busy_until_overdue",
                                                      "wait_started",
                                                      "stop_loop"};

// A reader of one JSON object that remembers which keys it was asked for, so that unknown ones are refused.
class Keys {
 public:
  explicit Keys(const json& object) : object_(object) {
    if (!object.is_object()) throw std::runtime_error("expected an object");
  }

  template <typename T>
  T get(const char* key, T otherwise) {
    known_.push_back(key);
    const auto found = object_.find(key);
    return found == object_.end() ? otherwise : found->get<T>();
  }
  const json* find(const char* key) {
    known_.push_back(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void refuse_others() const {
    for (const auto& entry : object_.items()) {
      if (std::ranges::find(known_, entry.key()) == known_.end()) {
        throw std::runtime_error(fmt::format("unknown key \"{}\"", entry.key()));
      }
    }
  }

 private:
  const json& object_;
  std::vector<std::string> known_;
};

std::vector<Step> read_list(const json* list);

Step read_one(const json& object) {
  Keys keys(object);
  Step step;
  const auto verb = keys.get<std::string>("verb", "");
  const auto* known = std::ranges::find(kVerbNames, verb);
  if (known == kVerbNames.end()) throw std::runtime_error(fmt::format("unknown verb \"{}\"", verb));
  step.verb = static_cast<Verb>(known - kVerbNames.begin());
  step.label = keys.get<std::string>("label", "");
  step.target = keys.get<std::string>("target", "");
  step.on = keys.get<std::string>("on", "");
  step.eof = keys.get<std::string>("eof", "");
  step.ms = keys.get<long>("ms", 0);
  step.repeat_ms = keys.get<long>("repeat_ms", 0);
  step.times = keys.get<long>("times", 1);
  step.bytes = keys.get<long>("bytes", 0);
  step.count = keys.get<long>("count", 1);
  step.started = keys.get<bool>("started", true);
  step.refused = keys.get<bool>("refused", false);
  step.then = read_list(keys.find("then"));
  step.eof_then = read_list(keys.find("eof_then"));
  if (const json* at = keys.find("at")) {
    for (const auto& entry : at->items()) step.at[std::stoul(entry.key())] = read_list(&entry.value());
  }
  keys.refuse_others();
  if (has_callback(step.verb) && step.label.empty())
    throw std::runtime_error("a step with a callback needs a label");
  return step;
}

std::vector<Step> read_list(const json* list) {
  std::vector<Step> steps;
  if (list == nullptr) return steps;
  for (const json& object : *list) steps.push_back(read_one(object));
  return steps;
}

Turn read_turn(const json& object) {
  Keys keys(object);
  Turn turn;
  const auto mode = keys.get<std::string>("mode", "default");
  if (mode == "once")
    turn.mode = TurnMode::once;
  else if (mode == "nowait")
    turn.mode = TurnMode::nowait;
  else if (mode != "default")
    throw std::runtime_error(fmt::format("unknown mode \"{}\"", mode));
  turn.label = keys.get<std::string>("label", "");
  turn.before = read_list(keys.find("before"));
  keys.refuse_others();
  return turn;
}

Scenario read_scenario(const json& object) {
  Keys keys(object);
  Scenario scenario;
  scenario.id = keys.get<std::string>("id", "");
  keys.get<bool>("own_process", false);  // the harness's affair: it then asks for one run of one scenario
  if (const json* turns = keys.find("run")) {
    for (const json& turn : *turns) scenario.turns.push_back(read_turn(turn));
  }
  if (scenario.turns.empty()) scenario.turns.emplace_back();
  scenario.steps = read_list(keys.find("steps"));
  keys.refuse_others();
  return scenario;
}

ScenarioFile read_document(const json& document) {
  Keys keys(document);
  ScenarioFile file;
  if (keys.get<std::string>("schema", "") != "tickmark.scenarios/1") {
    throw std::runtime_error("expected \"schema\": \"tickmark.scenarios/1\"");
  }
  const auto kind = keys.get<std::string>("kind", "scenarios");
  file.is_background = kind == "background";
  if (!file.is_background && kind != "scenarios")
    throw std::runtime_error(fmt::format("unknown kind \"{}\"", kind));
  file.pool = keys.get<unsigned>("pool", 4);
  file.repeat = keys.get<unsigned>("repeat", 1);
  file.deadline = Nanos{keys.get<int64_t>("deadline_ms", 5000) * 1'000'000};
  file.background.seed = keys.get<uint64_t>("seed", 1);
  file.background.duration = Nanos{keys.get<int64_t>("duration_ms", 0) * 1'000'000};
  if (const json* scenarios = keys.find("scenarios")) {
    for (const json& scenario : *scenarios) file.scenarios.push_back(read_scenario(scenario));
  }
  keys.refuse_others();
  return file;
}

}  // namespace

std::string_view name_of(Verb verb) { return kVerbNames[static_cast<size_t>(verb)]; }

bool has_callback(Verb verb) { return verb <= Verb::shutdown; }

std::string_view name_of(TurnMode mode) {
  if (mode == TurnMode::once) return "once";
  return mode == TurnMode::nowait ? "nowait" : "default";
}

Expected<ScenarioFile> read_scenario_file(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) return usage_error(fmt::format("cannot read the scenario file {}", path.string()));
  try {
    return read_document(json::parse(stream));
  } catch (const std::exception& error) {  // nlohmann's and ours: both say what is wrong
    return usage_error(fmt::format("scenario file {}: {}", path.string(), error.what()));
  }
}

}  // namespace tickmark::conformance
