#include "conformance/players/scenario.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace tickmark::conformance {

namespace {

using nlohmann::json;

struct VerbTraits {
  std::string_view name;
  bool has_callback;
};

// In the order of the enumeration.
constexpr std::array kVerbs{
    // clang-format off: one a line
    VerbTraits{"tick", true},
    VerbTraits{"microtask", true},
    VerbTraits{"promise", true},
    VerbTraits{"immediate", true},
    VerbTraits{"timeout", true},
    VerbTraits{"interval", true},
    VerbTraits{"timer", true},
    VerbTraits{"idle", true},
    VerbTraits{"prepare", true},
    VerbTraits{"check", true},
    VerbTraits{"async", true},
    VerbTraits{"work", true},
    VerbTraits{"fs_stat", true},
    VerbTraits{"fs_read", true},
    VerbTraits{"close", true},
    VerbTraits{"tcp_pair", true},
    VerbTraits{"connect", true},
    VerbTraits{"write", true},
    VerbTraits{"read", true},
    VerbTraits{"shutdown", true},
    VerbTraits{"clear", false},
    VerbTraits{"refresh", false},
    VerbTraits{"restart", false},
    VerbTraits{"again", false},
    VerbTraits{"ref", false},
    VerbTraits{"unref", false},
    VerbTraits{"cancel", false},
    VerbTraits{"send", false},
    VerbTraits{"read_stop", false},
    VerbTraits{"busy", false},
    VerbTraits{"busy_until_overdue", false},
    VerbTraits{"wait_started", false},
    VerbTraits{"stop_loop", false},
    VerbTraits{"longest_timer", true},
    VerbTraits{"pipe_pair", true},
    VerbTraits{"udp", true},
    VerbTraits{"udp_send", true},
    VerbTraits{"resolve", true},
    VerbTraits{"signal", true},
    VerbTraits{"spawn", true},
    VerbTraits{"set_repeat", false},
    VerbTraits{"update_time", false},
    VerbTraits{"is_alive", false},
    VerbTraits{"try_write", false},
    VerbTraits{"raise", false},
    VerbTraits{"kill", false},
    VerbTraits{"answer", false},
    VerbTraits{"executor_post", true},
    VerbTraits{"executor_dispatch", true},
    VerbTraits{"steady_timer", true},
    VerbTraits{"cancel_wait", false},
    VerbTraits{"socket_close", false},
    VerbTraits{"listen", true},
    VerbTraits{"react", true},
    VerbTraits{"await", true},
    VerbTraits{"lookup", true},
    VerbTraits{"fs_write", true},
    VerbTraits{"fs_promise", true},
    VerbTraits{"pipeline", true},
    VerbTraits{"datagram_send", true},
    VerbTraits{"http_get", true},
    VerbTraits{"ipc_send", true},
    VerbTraits{"deferred", false},
    VerbTraits{"pass_through", false},
    VerbTraits{"async_returning", false},
    VerbTraits{"writable", false},
    VerbTraits{"readable", false},
    VerbTraits{"channel", false},
    VerbTraits{"worker", false},
    VerbTraits{"child", false},
    VerbTraits{"fork", false},
    VerbTraits{"broadcast", false},
    VerbTraits{"datagram", false},
    VerbTraits{"resolve_promise", false},
    VerbTraits{"reject_promise", false},
    VerbTraits{"post", false},
    VerbTraits{"destroy", false},
    VerbTraits{"wait_written", false},
    VerbTraits{"throw", false},
    VerbTraits{"exit", false},
    VerbTraits{"track_async", false},
    // clang-format on
};

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
  const auto* known = std::ranges::find(kVerbs, verb, &VerbTraits::name);
  if (known == kVerbs.end()) throw std::runtime_error(fmt::format("unknown verb \"{}\"", verb));
  step.verb = static_cast<Verb>(known - kVerbs.begin());
  step.label = keys.get<std::string>("label", "");
  step.target = keys.get<std::string>("target", "");
  step.on = keys.get<std::string>("on", "");
  step.to = keys.get<std::string>("to", "");
  step.event = keys.get<std::string>("event", "");
  step.final = keys.get<std::string>("final", "");
  step.eof = keys.get<std::string>("eof", "");
  step.ms = keys.get<long>("ms", 0);
  step.repeat_ms = keys.get<long>("repeat_ms", 0);
  step.times = keys.get<long>("times", 1);
  step.bytes = keys.get<long>("bytes", 0);
  step.count = keys.get<long>("count", 1);
  step.code = keys.get<long>("code", 0);
  step.started = keys.get<bool>("started", true);
  step.refused = keys.get<bool>("refused", false);
  step.promised = keys.get<bool>("promised", false);
  step.by_name = keys.get<bool>("by_name", false);
  step.slow = keys.get<bool>("slow", false);
  step.missing = keys.get<bool>("missing", false);
  keys.get<bool>("echo", false);  // of the Node layer, which no native player speaks: known, and not kept
  step.error = keys.get<bool>("error", false);
  step.strand = keys.get<bool>("strand", false);
  step.once = keys.get<bool>("once", false);
  step.waits = keys.get<bool>("waits", false);
  step.output = keys.get<bool>("output", false);
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
  scenario.own_process = keys.get<bool>("own_process", false);
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
  file.connections = keys.get<int>("connections", 0);
  file.background.seed = keys.get<uint64_t>("seed", 1);
  file.background.duration = Nanos{keys.get<int64_t>("duration_ms", 0) * 1'000'000};
  if (const json* scenarios = keys.find("scenarios")) {
    for (const json& scenario : *scenarios) file.scenarios.push_back(read_scenario(scenario));
  }
  keys.refuse_others();
  return file;
}

}  // namespace

std::string_view name_of(Verb verb) { return kVerbs[static_cast<size_t>(verb)].name; }

bool has_callback(Verb verb) { return kVerbs[static_cast<size_t>(verb)].has_callback; }

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
