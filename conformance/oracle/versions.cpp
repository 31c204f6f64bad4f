#include "conformance/oracle/versions.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace tickmark::conformance {

namespace {

std::vector<long> numbers(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::vector<long> parts{0};
  bool digit_seen = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      parts.back() = std::min(parts.back() * 10 + (c - '0'), 1'000'000'000L);
      digit_seen = true;
    } else if (c == '.' && digit_seen) {
      parts.push_back(0);
      digit_seen = false;
    } else {
      break;
    }
  }
  return parts;
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
  std::vector<long> left = numbers(a);
  std::vector<long> right = numbers(b);
  const size_t size = std::max(left.size(), right.size());
  left.resize(size);
  right.resize(size);
  if (left == right) return 0;
  return left < right ? -1 : 1;
}

std::optional<std::string> outside(const VersionRange& range, const Versions& versions) {
  for (const auto& [component, since] : range.since) {
    const auto found = versions.find(component);
    if (found == versions.end() || compare_versions(found->second, since) >= 0) continue;
    return fmt::format("needs {} >= {}, this is {}", component, since, found->second);
  }
  for (const auto& [component, until] : range.until) {
    const auto found = versions.find(component);
    if (found == versions.end() || compare_versions(found->second, until) < 0) continue;
    return fmt::format("holds only for {} < {}, this is {}", component, until, found->second);
  }
  return std::nullopt;
}

Expected<Versions> parse_as(std::string_view text) {
  const size_t at = text.find('@');
  const std::string_view version = at == std::string_view::npos ? "" : text.substr(at + 1);
  if (at == 0 || version.empty() || version[0] < '0' || version[0] > '9') {
    return usage_error(fmt::format(
        "--as \"{}\" is no version to judge by: write NAME@VERSION, for example libuv@1.52", text));
  }
  std::string component(text.substr(0, at));
  if (component == "libuv") component = "uv";
  return Versions{{std::move(component), std::string(version)}};
}

}  // namespace tickmark::conformance
