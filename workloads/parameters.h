#pragma once
// Parameters of a workload, checked strictly: a misspelt --param is an error, never a default.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark::workloads {

/// Usage error that names the first parameter not in `known` and what is known.
Expected<void> check_names(std::string_view workload, const Parameters& params,
                           std::initializer_list<std::string_view> known);

/// Decimal digits only, no sign, no blank, at most 64 bits.
std::optional<uint64_t> parse_number(std::string_view text);

/// The parameter as a whole number within [least, most], `fallback` where absent; usage error otherwise.
Expected<uint64_t> number_parameter(std::string_view workload, const Parameters& params,
                                    std::string_view name, uint64_t fallback, uint64_t least, uint64_t most);

}  // namespace tickmark::workloads
