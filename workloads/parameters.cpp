#include "workloads/parameters.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tickmark::workloads {

Expected<void> check_names(std::string_view workload, const Parameters& params,
                           std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : params) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return usage_error(fmt::format("workload '{}' has no parameter '{}'; it has {}", workload, name,
                                   known.size() == 0 ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  return {};
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

Expected<uint64_t> number_parameter(std::string_view workload, const Parameters& params,
                                    std::string_view name, uint64_t fallback, uint64_t least, uint64_t most) {
  const auto found = params.find(std::string(name));
  if (found == params.end()) return fallback;
  const auto value = parse_number(found->second);
  if (!value || *value < least || *value > most) {
    return usage_error(fmt::format("workload '{}': parameter {}={}: expected a whole number from {} to {}",
                                   workload, name, found->second, least, most));
  }
  return *value;
}

}  // namespace tickmark::workloads
