#include "harness/cli/pairs.h"

#include <fmt/format.h>

namespace tickmark::cli {

Expected<Parameters> parse_pairs(std::string_view what, const std::vector<std::string>& pairs) {
  Parameters params;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return usage_error(fmt::format("{} '{}' is not a pair; expected name=value", what, pair));
    }
    params[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return params;
}

}  // namespace tickmark::cli
