#include "harness/cli/units.h"

#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace tickmark::cli {
namespace {

/// Splits `12.5ms` into 12.5 and `ms`; false if there is no finite, positive number in front.
bool split_number(std::string_view text, double& number, std::string_view& unit) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !(number > 0) || number > 1e15) return false;
  unit = text.substr(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

Expected<Nanos> parse_duration(std::string_view what, std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  double number = 0;
  std::string_view unit;
  if (split_number(text, number, unit)) {
    for (const auto& [name, ns] : kUnits) {
      if (unit == name && number * ns >= 1 && number * ns < 1e18)
        return Nanos{static_cast<int64_t>(number * ns)};
    }
  }
  return usage_error(fmt::format(
      "{} '{}' is not a duration; expected a positive number with us, ms, s, m or h, as 500ms", what, text));
}

Expected<double> parse_rate(std::string_view what, std::string_view text) {
  constexpr double kRateMax = 1e7;  // ten times what one thread can send
  double number = 0;
  std::string_view unit;
  if (split_number(text, number, unit)) {
    const double scale = unit.empty() ? 1 : unit == "k" ? 1e3 : unit == "M" ? 1e6 : 0;
    if (number * scale > kRateMax) {
      return usage_error(
          fmt::format("{} '{}' is impossible: no generator sends so fast; expected at most 10M", what, text));
    }
    if (scale > 0) return number * scale;
  }
  return usage_error(fmt::format(
      "{} '{}' is not a rate; expected a positive number per second, as 1000 or 50k", what, text));
}

std::string print_duration(Nanos value) {
  const double ns = static_cast<double>(value.count());
  const auto scaled = [](double number, std::string_view unit) {
    return fmt::format("{:.{}f} {}", number, number < 10 ? 2 : number < 100 ? 1 : 0, unit);
  };
  if (ns < 1e3) return fmt::format("{} ns", value.count());
  if (ns < 1e6) return scaled(ns / 1e3, "us");
  if (ns < 1e9) return scaled(ns / 1e6, "ms");
  return scaled(ns / 1e9, "s");
}

std::string print_count(uint64_t value) {
  const std::string digits = fmt::format("{}", value);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace tickmark::cli
