#include "workloads/query.h"

#include "workloads/parameters.h"

namespace tickmark::workloads {

std::optional<std::string_view> query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
      return pair.substr(key.size() + 1);
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::optional<uint64_t> query_number(std::string_view query, std::string_view key, uint64_t least,
                                     uint64_t most) {
  const auto text = query_value(query, key);
  if (!text) return std::nullopt;
  const auto value = parse_number(*text);
  if (!value || *value < least || *value > most) return std::nullopt;
  return value;
}

}  // namespace tickmark::workloads
