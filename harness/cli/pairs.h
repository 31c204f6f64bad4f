#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark::cli {

/// `name=value` arguments of the flag `what`; refuses what is not a pair.
Expected<Parameters> parse_pairs(std::string_view what, const std::vector<std::string>& pairs);

}  // namespace tickmark::cli
