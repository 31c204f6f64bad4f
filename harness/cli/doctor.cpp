// tickmark doctor: what is here, what would distort results, how to fix it. Changes nothing.

#include "harness/process/doctor.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/cli/verb.h"

namespace tickmark::cli {
namespace {

using process::Check;
using process::CheckStatus;

std::string_view mark(CheckStatus status) {
  return status == CheckStatus::kOk ? "ok  " : status == CheckStatus::kWarn ? "warn" : "BAD ";
}

Expected<int> run_verb(bool json) {
  auto paths = process::find_paths();
  if (!paths) return std::unexpected(paths.error());
  auto registry = process::Registry::load(*paths);
  if (!registry) return std::unexpected(registry.error());
  const process::Machine machine = process::inspect_machine();
  const std::vector<Check> checks = process::examine(machine, &*registry);
  const bool bad =
      std::ranges::any_of(checks, [](const Check& check) { return check.status == CheckStatus::kBad; });
  if (json) {
    nlohmann::ordered_json out{{"schema", "tickmark.doctor/1"}, {"machine", process::to_json(machine)}};
    for (const Check& check : checks)
      out["checks"].push_back(nlohmann::ordered_json(process::to_json(check)));
    fmt::print("{}\n", out.dump(2));
  } else {
    for (const Check& check : checks) {
      fmt::print("{}  {:<30} {}\n", mark(check.status), check.name, check.seen);
      if (!check.advice.empty()) fmt::print("      {:<30} -> {}\n", "", check.advice);
    }
  }
  return bad ? kEnvironment : kOk;
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
  add_verb(app, invocation, "doctor", "what is here, what would distort results; changes nothing",
           [&invocation] { return run_verb(invocation.json); });
}

}  // namespace tickmark::cli
