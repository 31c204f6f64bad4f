#pragma once
// Whether a trial's metric may be counted: one rule, for the statistics of a bundle and for the gate.

#include <optional>
#include <string>

#include "harness/output/json_access.h"

namespace tickmark::output {

/// Statuses whose metrics count. A saturated point is an honest one.
bool counts(const Json& trial);

/// The metric's value: the trial counts, the metric is there, its family is valid, and it is no mere lower
/// bound.
std::optional<double> valid_value(const Json& trial, const std::string& metric, const std::string& family);

/// Whether the trial's family is void because the load generator was at its limit: a rule named client_*.
bool at_clients_limit(const Json& trial, const std::string& family);

/// Why there is no valid_value, a sentence; "" if the metric simply is not there.
std::string why_no_value(const Json& trial, const std::string& metric, const std::string& family);

}  // namespace tickmark::output
