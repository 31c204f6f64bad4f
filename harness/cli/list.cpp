// tickmark list: subjects with their availability and, where unavailable, why; workloads; rules; suites.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/oracle/rule.h"
#include "harness/cli/verb.h"
#include "harness/process/registry.h"

namespace tickmark::cli {
namespace {

using nlohmann::ordered_json;

ordered_json list_subjects(process::Registry& registry) {
  ordered_json out = ordered_json::array();
  for (const process::CatalogueEntry& entry : registry.catalogue()) {
    ordered_json subject{
        {"name", entry.name.text()}, {"title", entry.manifest.title}, {"says", entry.manifest.says}};
    subject["available"] = entry.status.available();
    subject["reason"] = entry.status.reason;
    subject["install"] = entry.status.install;
    if (auto resolved = registry.resolve(entry.name))
      subject["program"] = process::find_program(resolved->command[0]).string();
    subject["versions"] = entry.status.description.versions;
    subject["workloads"] = entry.status.description.workloads;
    subject["features"] = entry.status.description.features;
    subject["options"] = entry.status.description.options;
    subject["caveat"] = entry.manifest.caveat;
    out.push_back(subject);
  }
  return out;
}

ordered_json list_workloads(const process::Registry& registry) {
  ordered_json out = ordered_json::array();
  for (const WorkloadSpec& spec : registry.workloads()) {
    ordered_json workload{{"id", spec.id}, {"title", spec.title}, {"says", spec.says}};
    for (const VariantSpec& variant : spec.variants) workload["variants"].push_back(variant.name);
    for (const ParameterSpec& param : spec.params) {
      workload["params"].push_back({{"name", param.name}, {"default", param.fallback}, {"says", param.says}});
    }
    out.push_back(workload);
  }
  return out;
}

Expected<ordered_json> list_rules(const process::Registry& registry) {
  auto rules = conformance::load_rules(registry.paths().root / "conformance" / "rules");
  if (!rules) return std::unexpected(rules.error());
  ordered_json out = ordered_json::array();
  for (const conformance::Rule& rule : *rules) {
    out.push_back({{"id", rule.id},
                   {"level", conformance::name_of(rule.level)},
                   {"layer", conformance::name_of(rule.layer)},
                   {"says", rule.says},
                   {"source", rule.source}});
  }
  return out;
}

void print_subjects(const ordered_json& subjects) {
  for (const auto& subject : subjects) {
    const bool available = subject["available"];
    fmt::print("{} {:<22} {}\n", available ? "+" : "-", subject["name"].get<std::string>(),
               subject["says"].get<std::string>());
    if (available) continue;
    fmt::print("  {:<22} not available: {}\n", "", subject["reason"].get<std::string>());
    const std::string install = subject["install"];
    if (!install.empty()) fmt::print("  {:<22} install with: {}\n", "", install);
  }
}

Expected<int> run_verb(const std::string& what, bool json) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  ordered_json items;
  if (what == "subjects") {
    items = list_subjects(*registry);
  } else if (what == "workloads") {
    items = list_workloads(*registry);
  } else {
    auto rules = list_rules(*registry);
    if (!rules) return std::unexpected(rules.error());
    items = *rules;
  }
  if (json) {
    fmt::print("{}\n", ordered_json{{"schema", "tickmark.list/1"}, {what, items}}.dump(2));
  } else if (what == "subjects") {
    print_subjects(items);
  } else {
    for (const auto& item : items) {
      const std::string level = item.value("level", "");
      fmt::print("{:<58} {}{}{}\n", item["id"].get<std::string>(), level, level.empty() ? "" : ": ",
                 item["says"].get<std::string>());
    }
  }
  return kOk;
}

}  // namespace

void add_list(CLI::App& app, Invocation& invocation) {
  auto what = std::make_shared<std::string>("subjects");
  CLI::App* verb =
      add_verb(app, invocation, "list", "subjects, workloads or rules, and why some are unavailable",
               [what, &invocation] { return run_verb(*what, invocation.json); });
  verb->add_option("what", *what, "subjects, workloads or rules")
      ->check(CLI::IsMember({"subjects", "workloads", "rules"}))
      ->capture_default_str();
}

}  // namespace tickmark::cli
