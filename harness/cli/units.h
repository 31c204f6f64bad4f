#pragma once
// Quantities as people type and read them: 500ms, 50k, 0.21 ms.

#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/time.h"

namespace tickmark::cli {

/// `6s`, `500ms`, `2m`, `100us`; a positive number with its unit. `what` names the flag in the error.
Expected<Nanos> parse_duration(std::string_view what, std::string_view text);

/// `1000`, `50k`, `1.5M`: a positive number per second.
Expected<double> parse_rate(std::string_view what, std::string_view text);

/// Three significant digits with a unit that fits: `43 us`, `1.24 ms`, `2.50 s`.
std::string print_duration(Nanos value);

/// `12,345`.
std::string print_count(uint64_t value);

}  // namespace tickmark::cli
