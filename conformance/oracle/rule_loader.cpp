#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <yaml-cpp/yaml.h>

#include "conformance/oracle/generic_rules.h"
#include "conformance/oracle/rule.h"
#include "conformance/oracle/steps.h"

namespace tickmark::conformance {

namespace {

constexpr std::array<std::string_view, 4> kLevels{"must", "should", "profile", "unspecified"};
constexpr std::array<std::string_view, 3> kLayers{"loop", "node", "wire"};

Expected<std::string> sentence(const YAML::Node& document, const char* key) {
  const YAML::Node node = document[key];
  const auto text = node && node.IsScalar() ? node.as<std::string>("") : "";
  if (text.size() < 3) return usage_error(fmt::format("\"{}\" is missing or too short", key));
  return text;
}

template <typename Enum, size_t N>
Expected<Enum> one_of(const YAML::Node& document, const char* key,
                      const std::array<std::string_view, N>& names) {
  const YAML::Node node = document[key];
  const auto text = node && node.IsScalar() ? node.as<std::string>("") : "";
  const auto* found = std::ranges::find(names, text);
  if (found == names.end()) {
    return usage_error(fmt::format("\"{}\" must be one of {}", key, fmt::join(names, ", ")));
  }
  return static_cast<Enum>(found - names.begin());
}

Expected<std::vector<std::string>> texts(const YAML::Node& document, const char* key) {
  const YAML::Node node = document[key];
  std::vector<std::string> list;
  if (!node) return list;
  if (!node.IsSequence()) return usage_error(fmt::format("\"{}\" must be a list", key));
  for (const auto& entry : node) list.push_back(entry.as<std::string>(""));
  return list;
}

Expected<std::vector<Clause>> clauses(const YAML::Node& document, const char* key) {
  const auto list = texts(document, key);
  if (!list) return std::unexpected(list.error());
  std::vector<Clause> parsed;
  for (const std::string& text : *list) {
    auto clause = parse_clause(text);
    if (!clause) return std::unexpected(clause.error());
    parsed.push_back(std::move(*clause));
  }
  return parsed;
}

Expected<unsigned> parse_unsigned(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return usage_error(fmt::format("\"{}\" is no count: write 2, >=1 or 1..3", text));
  }
  return value;
}

Expected<CountRange> parse_count(const std::string& text) {
  CountRange range{.text = text};
  const size_t dots = text.find("..");
  const bool at_least = text.starts_with(">=");
  const auto least =
      parse_unsigned(std::string_view(text).substr(at_least ? 2 : 0, at_least ? std::string::npos : dots));
  if (!least) return std::unexpected(least.error());
  range.least = *least;
  range.most = at_least ? CountRange::kNoLimit : *least;
  if (dots != std::string::npos) {
    const auto most = parse_unsigned(std::string_view(text).substr(dots + 2));
    if (!most) return std::unexpected(most.error());
    range.most = *most;
  }
  if (range.most < range.least) return usage_error(fmt::format("the count \"{}\" is empty", text));
  return range;
}

Expected<std::map<std::string, std::string>> text_map(const YAML::Node& document, const char* key) {
  const YAML::Node node = document[key];
  std::map<std::string, std::string> map;
  if (!node) return map;
  if (!node.IsMap()) return usage_error(fmt::format("\"{}\" must be a map", key));
  for (const auto& entry : node) map[entry.first.as<std::string>("")] = entry.second.as<std::string>("");
  return map;
}

Expected<void> read_requirements(const YAML::Node& document, Rule& rule) {
  auto required = clauses(document, "requires");
  auto forbidden = clauses(document, "forbids");
  auto when = clauses(document, "when");
  auto counts = text_map(document, "counts");
  auto statuses = text_map(document, "statuses");
  auto bytes = text_map(document, "bytes");
  auto observes = texts(document, "observes");
  for (const auto* list : {&required, &forbidden, &when}) {
    if (!*list) return std::unexpected(list->error());
  }
  for (const auto* map : {&counts, &statuses, &bytes}) {
    if (!*map) return std::unexpected(map->error());
  }
  if (!observes) return std::unexpected(observes.error());
  rule.required = std::move(*required);
  rule.forbidden = std::move(*forbidden);
  rule.when = std::move(*when);
  rule.statuses = std::move(*statuses);
  rule.observes = std::move(*observes);
  for (const auto& [label, text] : *counts) {
    const auto range = parse_count(text);
    if (!range) return std::unexpected(range.error());
    rule.counts[label] = *range;
  }
  for (const auto& [label, text] : *bytes) {
    const auto count = parse_unsigned(text);
    if (!count) return std::unexpected(count.error());
    rule.bytes[label] = *count;
  }
  return {};
}

Expected<void> read_scenario(const YAML::Node& document, Rule& rule) {
  Steps steps;
  steps.callbacks.insert("main");
  const auto read = read_steps(document["scenario"], steps);
  if (!read) return read;
  rule.steps = std::move(steps.steps);
  rule.run = nlohmann::json::array({{{"mode", "default"}}});
  if (document["run"]) {
    auto turns = read_turns(document["run"], steps);
    if (!turns) return std::unexpected(turns.error());
    rule.run = std::move(*turns);
  }
  const auto targets = check_targets(steps);
  if (!targets) return targets;
  const bool wire = rule.layer == Layer::wire;
  if (wire ? steps.in_the_loop : steps.on_the_wire) {
    return usage_error("verbs of the wire are for the layer wire, and it has no others");
  }

  std::vector<std::string> used = rule.observes;
  for (const auto* list : {&rule.required, &rule.forbidden, &rule.when}) {
    for (const Clause& clause : *list) std::ranges::copy(clause.labels(), std::back_inserter(used));
  }
  for (const auto& [label, range] : rule.counts) used.push_back(label);
  for (const auto& [label, status] : rule.statuses) used.push_back(label);
  for (const auto& [label, bytes] : rule.bytes) used.push_back(label);
  for (const std::string& label : used) {
    if (!steps.callbacks.contains(label) && !steps.calls.contains(label)) {
      return usage_error(
          fmt::format("the label \"{}\" is used but nothing in the scenario schedules it", label));
    }
  }
  return {};
}

Expected<void> check_keys(const YAML::Node& document) {
  static constexpr std::array<std::string_view, 21> kKeys{
      "says",   "level",       "layer",    "source",   "modes",    "since",   "until",
      "pool",   "own_process", "scenario", "run",      "requires", "when",    "forbids",
      "counts", "statuses",    "bytes",    "observes", "builtin",  "not_for", "workload"};
  for (const auto& entry : document) {
    const auto key = entry.first.as<std::string>("");
    if (std::ranges::find(kKeys, key) == kKeys.end()) {
      return usage_error(fmt::format("unknown key \"{}\"; a rule has {}", key, fmt::join(kKeys, ", ")));
    }
  }
  return {};
}

Expected<void> read_head(const YAML::Node& document, Rule& rule) {
  auto says = sentence(document, "says");
  auto source = sentence(document, "source");
  const auto level = one_of<Level>(document, "level", kLevels);
  const auto layer = one_of<Layer>(document, "layer", kLayers);
  auto since = text_map(document, "since");
  auto until = text_map(document, "until");
  auto not_for = text_map(document, "not_for");
  if (!says) return std::unexpected(says.error());
  if (!source) return std::unexpected(source.error());
  if (!level) return std::unexpected(level.error());
  if (!layer) return std::unexpected(layer.error());
  if (!since) return std::unexpected(since.error());
  if (!until) return std::unexpected(until.error());
  if (!not_for) return std::unexpected(not_for.error());
  rule.not_for = std::move(*not_for);
  rule.says = std::move(*says);
  rule.source = std::move(*source);
  rule.level = *level;
  rule.layer = *layer;
  rule.versions = {std::move(*since), std::move(*until)};
  if (document["modes"]) {
    auto modes = texts(document, "modes");
    if (!modes) return std::unexpected(modes.error());
    rule.modes = std::move(*modes);
  }
  rule.workload = document["workload"].as<std::string>("");
  if ((rule.layer == Layer::wire) == rule.workload.empty()) {
    return usage_error("\"workload\" belongs to a rule of the layer wire: what the subject serves meanwhile");
  }
  if (document["pool"]) rule.pool = document["pool"].as<unsigned>(0);
  rule.own_process = document["own_process"].as<bool>(false);
  if (rule.pool < 1 || rule.pool > 1024) return usage_error("\"pool\" must be from 1 to 1024");
  return {};
}

Expected<void> read_rule(const YAML::Node& document, Rule& rule) {
  if (!document.IsMap()) return usage_error("a rule file must be a map");
  for (const auto& step :
       {check_keys(document), read_head(document, rule), read_requirements(document, rule)}) {
    if (!step) return step;
  }
  if (document["builtin"]) {
    rule.builtin = document["builtin"].as<std::string>("");
    if (!is_generic_predicate(rule.builtin)) {
      return usage_error(fmt::format("\"builtin\" names no predicate: {}", rule.builtin));
    }
    return document["scenario"] ? usage_error("a rule has a scenario or a builtin, not both")
                                : Expected<void>{};
  }
  if (!document["scenario"]) return usage_error("\"scenario\" is missing");
  const bool judged = !rule.required.empty() || !rule.forbidden.empty() || !rule.counts.empty() ||
                      !rule.statuses.empty() || !rule.bytes.empty();
  const bool strict = rule.level == Level::must || rule.level == Level::should;
  if (strict && !judged) return usage_error("the rule requires and forbids nothing: it could not fail");
  if (!strict && rule.observes.empty()) {
    return usage_error(
        "a profile or unspecified rule needs \"observes\": the labels whose order is recorded");
  }
  return read_scenario(document, rule);
}

}  // namespace

std::string_view name_of(Level level) { return kLevels[static_cast<size_t>(level)]; }
std::string_view name_of(Layer layer) { return kLayers[static_cast<size_t>(layer)]; }

std::vector<std::string> Rule::requirement_texts() const {
  std::vector<std::string> list;
  for (const Clause& clause : required) list.push_back(clause.text);
  for (const Clause& clause : forbidden) list.push_back("never " + clause.text);
  for (const auto& [label, range] : counts)
    list.push_back(fmt::format("{} runs {} times", label, range.text));
  for (const auto& [label, status] : statuses) list.push_back(fmt::format("{} is {}", label, status));
  for (const auto& [label, count] : bytes) list.push_back(fmt::format("{} gets {} bytes", label, count));
  return list;
}

Expected<Rule> parse_rule(const std::string& id, const std::string& yaml) {
  Rule rule;
  rule.id = id;
  try {
    const auto read = read_rule(YAML::Load(yaml), rule);
    if (!read) return usage_error(fmt::format("rule {}: {}", id, read.error().message));
  } catch (const YAML::Exception& error) {
    return usage_error(fmt::format("rule {}: not readable as YAML: {}", id, error.what()));
  }
  return rule;
}

Expected<std::vector<Rule>> load_rules(const std::filesystem::path& root) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto it = std::filesystem::recursive_directory_iterator(root, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() == ".yaml") files.push_back(it->path());
  }
  if (error || files.empty()) {
    return usage_error(fmt::format("no rules below {}: expected *.yaml files", root.string()));
  }
  std::ranges::sort(files);
  std::vector<Rule> rules;
  for (const auto& file : files) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    auto id = std::filesystem::relative(file, root).replace_extension("").generic_string();
    auto rule = parse_rule(id, text.str());
    if (!rule) return std::unexpected(rule.error());
    rules.push_back(std::move(*rule));
  }
  return rules;
}

}  // namespace tickmark::conformance
