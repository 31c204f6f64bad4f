#include "conformance/players/wire_script.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace tickmark::conformance::wire {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 11> kVerbs{"open",    "expect", "expect_end", "after",
                                                  "stalled", "say",    "say_end",    "pause",
                                                  "resume",  "reset",  "hang_up"};
constexpr std::array<std::string_view, 17> kKeys{
    "verb",  "label", "target",  "on",   "ms",   "count", "bytes", "receive_buffer", "text", "times",
    "piece", "end",   "answers", "body", "then", "at",    "get"};

std::vector<Step> read_steps(const json& list);

// A label or a target names what has been opened; the harness has checked that it exists.
Step read_step(const json& object) {
  for (const auto& entry : object.items()) {
    if (std::ranges::find(kKeys, entry.key()) == kKeys.end()) {
      throw std::runtime_error(fmt::format("unknown key \"{}\"", entry.key()));
    }
  }
  Step step;
  const auto verb = object.value("verb", std::string());
  const auto* known = std::ranges::find(kVerbs, verb);
  if (known == kVerbs.end()) throw std::runtime_error(fmt::format("unknown verb \"{}\"", verb));
  step.verb = static_cast<Verb>(known - kVerbs.begin());
  step.label = object.value("label", std::string());
  step.target = object.value("target", std::string());
  step.on = object.value("on", std::string());
  step.ms = object.value("ms", 0L);
  step.count = object.value("count", 1L);
  step.receive_buffer = object.value("receive_buffer", 0L);
  step.text = object.value("text", std::string());
  if (object.contains("get")) {
    step.text = fmt::format("GET {} HTTP/1.1\r\nHost: wire\r\n\r\n", object.at("get").get<std::string>());
  }
  step.bytes = object.value("bytes", 0L);
  step.times = object.value("times", 1L);
  step.piece = object.value("piece", 0L);
  step.end = object.value("end", false);
  std::istringstream statuses(object.value("answers", std::string()));
  for (int status; statuses >> status;) step.answers.push_back(status);
  step.body = object.value("body", std::string());
  if (object.contains("then")) step.then = read_steps(object.at("then"));
  if (object.contains("at")) {
    for (const auto& entry : object.at("at").items()) {
      step.at[static_cast<unsigned>(std::stoul(entry.key()))] = read_steps(entry.value());
    }
  }
  if (has_callback(step.verb) && step.label.empty()) {
    throw std::runtime_error(fmt::format("\"{}\" has a callback and needs a label", verb));
  }
  return step;
}

std::vector<Step> read_steps(const json& list) {
  std::vector<Step> steps;
  for (const json& object : list) steps.push_back(read_step(object));
  return steps;
}

}  // namespace

std::string_view name_of(Verb verb) { return kVerbs[static_cast<size_t>(verb)]; }

bool has_callback(Verb verb) { return verb <= Verb::stalled; }

Expected<Script> read_script(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return usage_error(fmt::format("cannot read the scenarios {}", path.string()));
  Script script;
  try {
    const json document = json::parse(file);
    if (document.value("kind", std::string()) != "scenarios")
      throw std::runtime_error("\"kind\" must be scenarios");
    script.repeat = document.value("repeat", 1U);
    for (const json& object : document.at("scenarios")) {
      script.scenarios.push_back({object.at("id").get<std::string>(), object.value("workload", std::string()),
                                  read_steps(object.at("steps"))});
    }
  } catch (const std::exception& error) {
    return usage_error(fmt::format("{}: {}", path.string(), error.what()));
  }
  return script;
}

}  // namespace tickmark::conformance::wire
