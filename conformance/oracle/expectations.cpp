#include "conformance/oracle/expectations.h"

#include <algorithm>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace tickmark::conformance {

Expected<Expectations> load_expectations(const std::filesystem::path& folder, const std::string& subject,
                                         const std::vector<Rule>& rules) {
  const auto path = folder / (subject + ".yaml");
  Expectations expectations;
  if (!std::filesystem::exists(path)) return expectations;
  try {
    const YAML::Node document = YAML::LoadFile(path.string());
    if (!document.IsMap() && !document.IsNull()) {
      return usage_error(fmt::format("{}: expected a map of rule to reason", path.string()));
    }
    for (const auto& entry : document) {
      const auto rule = entry.first.as<std::string>("");
      const auto reason = entry.second.as<std::string>("");
      if (std::ranges::find(rules, rule, &Rule::id) == rules.end()) {
        return usage_error(fmt::format("{}: there is no rule \"{}\"", path.string(), rule));
      }
      if (reason.size() < 3)
        return usage_error(fmt::format("{}: \"{}\" needs a reason", path.string(), rule));
      expectations[rule] = reason;
    }
  } catch (const YAML::Exception& error) {
    return usage_error(fmt::format("{}: not readable as YAML: {}", path.string(), error.what()));
  }
  return expectations;
}

Findings compare(const std::vector<Verdict>& verdicts, const Expectations& expectations) {
  Findings findings;
  for (const Verdict& verdict : verdicts) {
    const bool listed = expectations.contains(verdict.rule);
    if (verdict.is_violation() && !listed) findings.unexpected_failures.push_back(&verdict);
    if (verdict.kind == VerdictKind::pass && listed) findings.unexpected_passes.push_back(&verdict);
  }
  return findings;
}

}  // namespace tickmark::conformance
