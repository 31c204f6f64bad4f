#pragma once
// Base64 (RFC 4648, section 4) for the payloads of an HdrHistogram log.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tickmark::stats {

std::string base64_encode(std::span<const uint8_t> bytes);

/// The bytes of padded Base64; nothing if `text` is not exactly that (wrong length, foreign character,
/// padding in the middle). Allocates at most 3/4 of the text.
std::optional<std::vector<uint8_t>> base64_decode(std::string_view text);

}  // namespace tickmark::stats
