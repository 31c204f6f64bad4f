#include "workloads/table_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tickmark::workloads {

Expected<size_t> pick_variant(std::string_view workload, std::string_view wanted,
                              std::initializer_list<std::string_view> variants) {
  if (wanted.empty()) return size_t{0};
  const auto found = std::ranges::find(variants, wanted);
  if (found != variants.end()) return static_cast<size_t>(found - variants.begin());
  return usage_error(
      fmt::format("workload '{}' has no variant '{}'; it has {}", workload, wanted,
                  variants.size() == 0 ? "none" : fmt::format("{}", fmt::join(variants, ", "))));
}

}  // namespace tickmark::workloads
