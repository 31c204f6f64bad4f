#pragma once

#include <string>
#include <string_view>

namespace tickmark::run {

/// SHA-256 in lower-case hex; the hash of a plan.
std::string sha256_hex(std::string_view bytes);

}  // namespace tickmark::run
