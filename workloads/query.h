#pragma once
// Query strings of the HTTP workloads: plain ASCII, no percent-encoding (docs/workloads.md).

#include <cstdint>
#include <optional>
#include <string_view>

namespace tickmark::workloads {

/// The value of the first `key=value` in `query`; "" for `key=`, nothing where the key is absent.
std::optional<std::string_view> query_value(std::string_view query, std::string_view key);

/// The same as a decimal number within [least, most]; nothing where absent, malformed or out of range.
std::optional<uint64_t> query_number(std::string_view query, std::string_view key, uint64_t least,
                                     uint64_t most);

}  // namespace tickmark::workloads
