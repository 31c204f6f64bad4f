#include "harness/output/valid_value.h"

#include <fmt/format.h>

namespace tickmark::output {
namespace {

/// Whether so many requests went unanswered that the metric is only known to be at least its value.
bool is_lower_bound(const Json& trial, const std::string& metric) {
  for (const Json& name : list_at(trial, "lower_bounds")) {
    if (name == metric) return true;
  }
  return false;
}

}  // namespace

bool counts(const Json& trial) {
  const std::string status = text_at(trial, "status");
  return status == "ok" || status == "saturated";
}

std::optional<double> valid_value(const Json& trial, const std::string& metric, const std::string& family) {
  if (!counts(trial) || is_lower_bound(trial, metric)) return std::nullopt;
  if (!flag_at(member(member(trial, "validity"), family), "valid").value_or(false)) return std::nullopt;
  return number_at(member(trial, "metrics"), metric);
}

bool at_clients_limit(const Json& trial, const std::string& family) {
  for (const Json& rule : list_at(member(member(trial, "validity"), family), "rules")) {
    if (rule.is_string() && rule.get<std::string>().starts_with("client_")) return true;
  }
  return false;
}

std::string why_no_value(const Json& trial, const std::string& metric, const std::string& family) {
  if (!counts(trial)) return fmt::format("{}: {}", text_at(trial, "status"), text_at(trial, "reason"));
  if (!number_at(member(trial, "metrics"), metric)) return "";
  if (is_lower_bound(trial, metric)) return "only a lower bound is known: too many requests were unanswered";
  const Json& reasons = list_at(member(member(trial, "validity"), family), "reasons");
  return !reasons.empty() && reasons.front().is_string() ? reasons.front().get<std::string>() : "";
}

}  // namespace tickmark::output
