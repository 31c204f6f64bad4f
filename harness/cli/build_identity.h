#pragma once
// Which source this binary was built from.

#include <string_view>

namespace tickmark::cli {

/// What `git describe --always --dirty` said when the build was configured, or "unknown".
std::string_view build_commit();

}  // namespace tickmark::cli
