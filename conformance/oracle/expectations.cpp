#include "conformance/oracle/expectations.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace tickmark::conformance {

namespace {

struct KnownDeviation {
  Expectation expectation;
  VersionRange versions;
};

constexpr std::array<std::string_view, 3> kModes{"cjs", "esm", "worker"};

Expected<Versions> read_versions(const YAML::Node& node, const char* key) {
  Versions versions;
  if (!node[key]) return versions;
  if (!node[key].IsMap()) return usage_error(fmt::format("\"{}\" must map a component to a version", key));
  for (const auto& entry : node[key])
    versions[entry.first.as<std::string>("")] = entry.second.as<std::string>("");
  return versions;
}

Expected<KnownDeviation> read_entry(const YAML::Node& node) {
  if (node.IsScalar()) return KnownDeviation{{node.as<std::string>("")}, {}};
  if (!node.IsMap()) return usage_error("expected a reason, or a map with one");
  static constexpr std::array<std::string_view, 6> kKeys{"reason", "thread", "since",
                                                         "until",  "modes",  "sometimes"};
  for (const auto& pair : node) {
    const auto key = pair.first.as<std::string>("");
    if (std::ranges::find(kKeys, key) == kKeys.end())
      return usage_error(
          fmt::format("unknown key \"{}\"; an expectation has {}", key, fmt::join(kKeys, ", ")));
  }
  auto since = read_versions(node, "since");
  auto until = read_versions(node, "until");
  if (!since) return std::unexpected(since.error());
  if (!until) return std::unexpected(until.error());
  KnownDeviation entry{{node["reason"].as<std::string>("")}, {std::move(*since), std::move(*until)}};
  std::string& reason = entry.expectation.reason;
  if (node["thread"] && !reason.empty()) reason += fmt::format(" ({})", node["thread"].as<std::string>(""));
  for (const auto& mode : node["modes"]) {
    entry.expectation.modes.push_back(mode.as<std::string>(""));
    if (std::ranges::find(kModes, entry.expectation.modes.back()) == kModes.end())
      return usage_error(fmt::format("unknown mode \"{}\"; there are {}", entry.expectation.modes.back(),
                                     fmt::join(kModes, ", ")));
  }
  if (node["sometimes"] && node["sometimes"].as<std::string>("") != "true")
    return usage_error("\"sometimes\" is true, or left out");
  entry.expectation.sometimes = static_cast<bool>(node["sometimes"]);
  return entry;
}

Expected<Expectations> read_file(const std::filesystem::path& path, const Versions& versions,
                                 const std::vector<Rule>& rules) {
  const YAML::Node document = YAML::LoadFile(path.string());
  Expectations expectations;
  if (!document.IsMap() && !document.IsNull()) return usage_error("expected a map of rule to reason");
  for (const auto& pair : document) {
    const auto rule = pair.first.as<std::string>("");
    if (std::ranges::find(rules, rule, &Rule::id) == rules.end())
      return usage_error(fmt::format("there is no rule \"{}\"", rule));
    const auto entry = read_entry(pair.second);
    if (!entry) return usage_error(fmt::format("\"{}\": {}", rule, entry.error().message));
    if (entry->expectation.reason.size() < 3) return usage_error(fmt::format("\"{}\" needs a reason", rule));
    if (!outside(entry->versions, versions)) expectations[rule] = entry->expectation;
  }
  return expectations;
}

// A player that was told no mode runs main in a script.
bool speaks_of(const Expectation& expectation, const std::string& mode) {
  return expectation.modes.empty() ||
         std::ranges::find(expectation.modes, mode.empty() ? "cjs" : mode) != expectation.modes.end();
}

}  // namespace

Expected<Expectations> load_expectations(const std::filesystem::path& folder, const std::string& subject,
                                         const Versions& versions, const std::vector<Rule>& rules) {
  const auto path = folder / (subject + ".yaml");
  if (!std::filesystem::exists(path)) return Expectations{};
  try {
    auto expectations = read_file(path, versions, rules);
    if (!expectations) return usage_error(fmt::format("{}: {}", path.string(), expectations.error().message));
    return expectations;
  } catch (const YAML::Exception& error) {
    return usage_error(fmt::format("{}: not readable as YAML: {}", path.string(), error.what()));
  }
}

Findings compare(std::vector<Verdict>& verdicts, const Expectations& expectations) {
  Findings findings;
  for (Verdict& verdict : verdicts) {
    const auto entry = expectations.find(verdict.rule);
    const bool is_listed = entry != expectations.end() && speaks_of(entry->second, verdict.mode);
    const bool is_vacuous = verdict.kind == VerdictKind::vacuous;
    if (is_vacuous || verdict.is_violation()) {
      if (!is_listed)
        (is_vacuous ? findings.vacuous : findings.unexpected_failures).push_back(&verdict);
      else
        verdict.known = entry->second.reason;
    } else if (verdict.kind == VerdictKind::pass && is_listed && !entry->second.sometimes) {
      findings.unexpected_passes.push_back(&verdict);
    }
  }
  return findings;
}

}  // namespace tickmark::conformance
