#include "conformance/oracle/steps.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>
#include <yaml-cpp/yaml.h>

#include "conformance/oracle/expression.h"

namespace tickmark::conformance {

namespace {

using nlohmann::json;

constexpr long kNumberMax = 0xffff'ffff;  // more than the longest delay

// What the value beside the verb means: the label of a callback, or of a thing that is made; and so on.
enum class Value { label, thing, target, ms, nothing };

struct Verb {
  std::string_view name;
  Value value;
  std::string_view keys;      // allowed, separated by blanks
  std::string_view required;  // of those
  bool on_the_wire = false;
};

constexpr std::array kVerbs{
    Verb{"tick", Value::label, "", ""},
    Verb{"microtask", Value::label, "", ""},
    Verb{"promise", Value::label, "", ""},
    Verb{"immediate", Value::label, "promised", ""},
    Verb{"timeout", Value::label, "ms promised", "ms"},
    Verb{"interval", Value::label, "ms times", "ms times"},
    Verb{"timer", Value::label, "ms repeat_ms times started", "ms"},
    Verb{"idle", Value::label, "times", ""},
    Verb{"prepare", Value::label, "times", ""},
    Verb{"check", Value::label, "times", ""},
    Verb{"async", Value::label, "", ""},
    Verb{"work", Value::label, "ms to", "ms"},
    Verb{"fs_stat", Value::label, "", ""},
    Verb{"fs_read", Value::label, "", ""},
    Verb{"close", Value::label, "on", ""},
    Verb{"tcp_pair", Value::label, "", ""},
    Verb{"connect", Value::label, "refused by_name", ""},
    Verb{"write", Value::label, "on bytes", "on bytes"},
    Verb{"read", Value::label, "on eof eof_then", "on"},
    Verb{"shutdown", Value::label, "on", "on"},
    Verb{"longest_timer", Value::label, "", ""},
    Verb{"pipe_pair", Value::label, "", ""},
    Verb{"udp", Value::label, "", ""},
    Verb{"udp_send", Value::label, "on to bytes", "on to bytes"},
    Verb{"resolve", Value::label, "ms", ""},
    Verb{"signal", Value::label, "once", ""},
    Verb{"spawn", Value::label, "code waits output", ""},
    Verb{"clear", Value::target, "", ""},
    Verb{"refresh", Value::target, "", ""},
    Verb{"restart", Value::target, "", ""},
    Verb{"again", Value::target, "", ""},
    Verb{"ref", Value::target, "", ""},
    Verb{"unref", Value::target, "", ""},
    Verb{"cancel", Value::target, "", ""},
    Verb{"send", Value::target, "count", ""},
    Verb{"read_stop", Value::target, "", ""},
    Verb{"busy", Value::ms, "", ""},
    Verb{"busy_until_overdue", Value::target, "", ""},
    Verb{"wait_started", Value::target, "", ""},
    Verb{"stop_loop", Value::nothing, "", ""},
    Verb{"set_repeat", Value::target, "ms", "ms"},
    Verb{"update_time", Value::nothing, "", ""},
    Verb{"is_alive", Value::nothing, "", ""},
    Verb{"try_write", Value::target, "bytes", "bytes"},
    Verb{"raise", Value::target, "count", ""},
    Verb{"kill", Value::target, "", ""},
    Verb{"answer", Value::nothing, "", ""},
    // Of Asio.
    Verb{"executor_post", Value::label, "strand", ""},
    Verb{"executor_dispatch", Value::label, "", ""},
    Verb{"steady_timer", Value::label, "ms", "ms"},
    Verb{"cancel_wait", Value::target, "", ""},
    Verb{"socket_close", Value::target, "", ""},
    Verb{"open", Value::label, "count receive_buffer", "", true},
    Verb{"expect", Value::label, "on bytes answers times body", "on", true},
    Verb{"expect_end", Value::label, "on", "on", true},
    Verb{"after", Value::label, "ms", "ms", true},
    Verb{"stalled", Value::label, "on", "on", true},
    Verb{"say", Value::target, "text get bytes times piece end", "", true},
    Verb{"say_end", Value::target, "", "", true},
    Verb{"pause", Value::target, "", "", true},
    Verb{"resume", Value::target, "", "", true},
    Verb{"reset", Value::target, "", "", true},
    Verb{"hang_up", Value::target, "", "", true},
    // Of the Node layer.
    Verb{"listen", Value::label, "on event", "event"},
    Verb{"react", Value::label, "on", "on"},
    Verb{"await", Value::label, "on", "on"},
    Verb{"lookup", Value::label, "by_name", ""},
    Verb{"fs_write", Value::label, "", ""},
    Verb{"fs_promise", Value::label, "", ""},
    Verb{"pipeline", Value::label, "on to", "on to"},
    Verb{"datagram_send", Value::label, "on", "on"},
    Verb{"http_get", Value::label, "", ""},
    Verb{"ipc_send", Value::label, "on", "on"},
    Verb{"deferred", Value::thing, "", ""},
    Verb{"pass_through", Value::thing, "on", "on"},
    Verb{"async_returning", Value::thing, "on", "on"},
    Verb{"writable", Value::thing, "slow final", ""},
    Verb{"readable", Value::thing, "count", "count"},
    Verb{"channel", Value::thing, "", ""},
    Verb{"worker", Value::thing, "count", "count"},
    Verb{"child", Value::thing, "missing", ""},
    Verb{"fork", Value::thing, "count echo", ""},
    Verb{"broadcast", Value::thing, "", ""},
    Verb{"datagram", Value::thing, "", ""},
    Verb{"resolve_promise", Value::target, "to", ""},
    Verb{"reject_promise", Value::target, "", ""},
    Verb{"post", Value::target, "count", ""},
    Verb{"destroy", Value::target, "error", ""},
    Verb{"wait_written", Value::target, "", ""},
    Verb{"throw", Value::nothing, "", ""},
    Verb{"exit", Value::nothing, "", ""},
    Verb{"track_async", Value::nothing, "", ""},
};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) return true;
    words = blank == std::string_view::npos ? "" : words.substr(blank + 1);
  }
  return false;
}

const Verb* find_verb(const YAML::Node& step) {
  for (const auto& entry : step) {
    const auto key = entry.first.as<std::string>();
    const auto* verb = std::ranges::find(kVerbs, key, &Verb::name);
    if (verb != kVerbs.end()) return verb;
  }
  return nullptr;
}

Expected<void> add_label(std::set<std::string>& to, const Steps& known, const std::string& label) {
  if (!is_label(label)) return usage_error(fmt::format("\"{}\" is no label: use [a-z][a-z0-9_]*", label));
  if (known.callbacks.contains(label) || known.calls.contains(label)) {
    return usage_error(fmt::format("the label \"{}\" is used twice", label));
  }
  to.insert(label);
  return {};
}

Expected<long> whole_number(const YAML::Node& node, std::string_view key) {
  try {
    const long value = node.as<long>();
    if (value >= 0 && value <= kNumberMax) return value;
  } catch (const YAML::Exception&) {
  }
  return usage_error(fmt::format("\"{}\" must be a whole number from 0 to {}", key, kNumberMax));
}

Expected<void> read_value(const Verb& verb, const YAML::Node& value, Steps& into, json& step) {
  if (verb.value == Value::nothing) return {};
  if (verb.value == Value::ms) {
    const auto ms = whole_number(value, verb.name);
    if (!ms) return std::unexpected(ms.error());
    step["ms"] = *ms;
    return {};
  }
  const auto text = value.as<std::string>("");
  if (verb.value == Value::label) {
    step["label"] = text;
    return add_label(into.callbacks, into, text);
  }
  if (verb.value == Value::thing) {
    step["label"] = text;
    into.things.insert(text);
    return add_label(into.calls, into, text);
  }
  step["target"] = text;
  into.targets.insert(text);
  return {};
}

Expected<json> nested(const YAML::Node& list, Steps& into) {
  json outer = std::exchange(into.steps, json::array());
  const auto read = read_steps(list, into);
  json inner = std::exchange(into.steps, std::move(outer));
  if (!read) return std::unexpected(read.error());
  return inner;
}

Expected<void> read_at(const YAML::Node& map, Steps& into, json& step) {
  if (!map.IsMap()) return usage_error("\"at\" must map a callback's number to a list of steps");
  for (const auto& entry : map) {
    const auto number = whole_number(entry.first, "at");
    if (!number) return std::unexpected(number.error());
    auto steps = nested(entry.second, into);
    if (!steps) return std::unexpected(steps.error());
    step["at"][std::to_string(*number)] = std::move(*steps);
  }
  return {};
}

// One key of a step beside its verb.
Expected<void> read_key(const Verb& verb, const std::string& key, const YAML::Node& value, Steps& into,
                        json& step) {
  const bool callback = verb.value == Value::label;
  if (key == "at" && callback) return read_at(value, into, step);
  if (key == "as" && !callback && verb.value != Value::thing) {
    step["label"] = value.as<std::string>("");
    return add_label(into.calls, into, value.as<std::string>(""));
  }
  if (!(key == "then" && callback) && !has_word(verb.keys, key)) {
    return usage_error(fmt::format("the step \"{}\" has no key \"{}\"", verb.name, key));
  }
  if (key == "then" || key == "eof_then") {
    auto steps = nested(value, into);
    if (!steps) return std::unexpected(steps.error());
    step[key] = std::move(*steps);
    return {};
  }
  if (key == "eof" || key == "final") {
    step[key] = value.as<std::string>("");
    return add_label(into.callbacks, into, value.as<std::string>(""));
  }
  if (key == "event") {
    step[key] = value.as<std::string>("");
    return {};
  }
  if (key == "on" || key == "to") {
    step[key] = value.as<std::string>("");
    into.targets.insert(value.as<std::string>(""));
    return {};
  }
  if (key == "text" || key == "get" || key == "body" || key == "answers") {
    step[key] = value.as<std::string>("");
    return {};
  }
  static constexpr std::string_view kSwitches =
      "refused started end promised by_name slow missing error strand once waits output echo";
  if (has_word(kSwitches, key)) {
    step[key] = value.as<bool>(false);
    return {};
  }
  const auto number = whole_number(value, key);
  if (!number) return std::unexpected(number.error());
  step[key] = *number;
  return {};
}

Expected<json> read_step(const YAML::Node& node, Steps& into) {
  if (!node.IsMap()) return usage_error("a step must be a map such as `timeout: a`");
  const Verb* verb = find_verb(node);
  if (verb == nullptr) {
    return usage_error(
        fmt::format("the step with \"{}\" names no verb of docs/scenarios.md",
                    node.begin() == node.end() ? "" : node.begin()->first.as<std::string>("")));
  }
  (verb->on_the_wire ? into.on_the_wire : into.in_the_loop) = true;
  json step{{"verb", verb->name}};
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>("");
    const auto done = key == verb->name ? read_value(*verb, entry.second, into, step)
                                        : read_key(*verb, key, entry.second, into, step);
    if (!done) return std::unexpected(done.error());
  }
  std::string_view required = verb->required;
  while (!required.empty()) {
    const size_t blank = required.find(' ');
    const std::string key(required.substr(0, blank));
    if (!step.contains(key)) return usage_error(fmt::format("the step \"{}\" needs \"{}\"", verb->name, key));
    required = blank == std::string_view::npos ? "" : required.substr(blank + 1);
  }
  return step;
}

}  // namespace

Expected<void> read_steps(const YAML::Node& list, Steps& into) {
  if (!list.IsSequence()) return usage_error("steps must be a list");
  for (const auto& node : list) {
    auto step = read_step(node, into);
    if (!step) return std::unexpected(step.error());
    into.steps.push_back(std::move(*step));
  }
  // What follows would never be executed.
  for (size_t i = 0; i + 1 < into.steps.size(); ++i) {
    const auto verb = into.steps[i]["verb"].get<std::string>();
    if (verb == "throw" || verb == "exit")
      return usage_error(fmt::format("\"{}\" must be the last step", verb));
  }
  return {};
}

Expected<json> read_turns(const YAML::Node& list, Steps& into) {
  if (!list.IsSequence() || list.size() == 0) return usage_error("\"run\" must be a list of turns");
  json turns = json::array();
  for (const auto& node : list) {
    json turn = json::object();
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>("");
      if (key == "mode" || key == "label") {
        turn[key] = entry.second.as<std::string>("");
      } else if (key == "before") {
        auto steps = nested(entry.second, into);
        if (!steps) return std::unexpected(steps.error());
        turn[key] = std::move(*steps);
      } else {
        return usage_error(fmt::format("a turn of \"run\" has no key \"{}\"", key));
      }
    }
    const std::string mode = turn.value("mode", "");
    if (mode != "default" && mode != "once" && mode != "nowait") {
      return usage_error("a turn of \"run\" needs \"mode\": default, once or nowait");
    }
    if (turn.contains("label")) {
      const auto added = add_label(into.calls, into, turn["label"]);
      if (!added) return std::unexpected(added.error());
    }
    turns.push_back(std::move(turn));
  }
  return turns;
}

Expected<void> check_targets(const Steps& steps) {
  // The ends of a pair and of a channel, the output of a child, what a request is answered.
  static constexpr std::string_view kParts = "client server output a b c stdout channel response";
  for (const std::string& target : steps.targets) {
    const size_t dot = target.find('.');
    const std::string suffix = dot == std::string::npos ? "" : target.substr(dot + 1);
    const std::string name = target.substr(0, dot);
    const bool known = steps.callbacks.contains(name) || steps.things.contains(name);
    if (!known || (!suffix.empty() && !has_word(kParts, suffix))) {
      return usage_error(
          fmt::format("a step refers to \"{}\", which nothing in the scenario schedules", target));
    }
  }
  return {};
}

}  // namespace tickmark::conformance
