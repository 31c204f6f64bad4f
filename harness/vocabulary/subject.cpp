#include "harness/vocabulary/subject.h"

#include <algorithm>
#include <fmt/format.h>

namespace tickmark {
namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Expected<Parameters> parse_options(std::string_view whole, std::string_view rest) {
  Parameters options;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !is_word(pair.substr(0, equals))) {
      return usage_error(fmt::format(
          "subject '{}': '{}' is not an option; expected key=value after the colon", whole, pair));
    }
    const auto [_, fresh] = options.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    if (!fresh) {
      return usage_error(fmt::format("subject '{}': option '{}' is given twice; give it once", whole,
                                     pair.substr(0, equals)));
    }
    if (comma == std::string_view::npos) return options;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

Expected<SubjectName> SubjectName::parse(std::string_view text) {
  SubjectName subject;
  const size_t colon = text.find(':');
  std::string_view head = text.substr(0, colon);
  const size_t at = head.find('@');
  subject.name = head.substr(0, at);
  if (!is_word(subject.name)) {
    return usage_error(
        fmt::format("subject '{}' has no valid name; expected name[@version][:key=value,...], see 'tickmark "
                    "list subjects'",
                    text));
  }
  if (at != std::string_view::npos) {
    subject.version = head.substr(at + 1);
    if (subject.version.empty()) {
      return usage_error(
          fmt::format("subject '{}': the version after '@' is empty; give one or drop the '@'", text));
    }
  }
  if (colon != std::string_view::npos) {
    auto options = parse_options(text, text.substr(colon + 1));
    if (!options) return std::unexpected(options.error());
    subject.options = std::move(*options);
  }
  return subject;
}

std::string SubjectName::text() const {
  std::string out = name;
  if (!version.empty()) out += "@" + version;
  char separator = ':';
  for (const auto& [key, value] : options) {
    out += fmt::format("{}{}={}", separator, key, value);
    separator = ',';
  }
  return out;
}

bool speaks(const std::vector<std::string>& workloads, std::string_view workload, std::string_view variant) {
  return std::ranges::any_of(workloads, [&](const std::string& spoken) {
    return spoken == workload || (!variant.empty() && spoken == fmt::format("{}/{}", workload, variant));
  });
}

}  // namespace tickmark
