#include "harness/run/count_files.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace tickmark::run {
namespace {

constexpr std::string_view kBlank = " \t\r";

/// A thousandth of the total: what counts may differ by, too (CountedRules).
constexpr uint64_t kSumsMayDiffer = 1000;

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Takes the next line off `text`, without its end and the blanks around it.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim(line);
}

/// The whole of `text` as a number.
std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The first of the numbers in a line "key: 1 2 3"; Ir is the first event.
std::optional<uint64_t> first_cost(std::string_view costs) {
  costs = trim(costs);
  return number(costs.substr(0, costs.find(' ')));
}

std::unexpected<Error> refuse(std::string_view what) {
  return environment_error(fmt::format("{}; count again", what));
}

}  // namespace

Expected<uint64_t> callgrind_total(std::string_view text) {
  constexpr std::string_view kEvents = "events:", kSummary = "summary:", kTotals = "totals:", kPart = "part:";
  bool events = false, closed = false;
  int parts = 0;
  std::optional<uint64_t> summary, total;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    closed = line.starts_with(kTotals);
    if (closed) total = first_cost(line.substr(kTotals.size()));
    if (line.starts_with(kPart)) ++parts;
    if (line.starts_with(kSummary)) {
      summary = first_cost(line.substr(kSummary.size()));
      if (!summary) return refuse("its summary is no number, so it is damaged");
    }
    if (!line.starts_with(kEvents)) continue;
    const std::string_view names = trim(line.substr(kEvents.size()));
    events = names.substr(0, names.find(' ')) == "Ir";
    if (!events) return refuse(fmt::format("it counts '{}' where Ir was expected", names.substr(0, 40)));
  }
  if (!events) return refuse("it has no line 'events: Ir', so callgrind did not write it, or not to its end");
  if (parts > 1) return refuse("it has several parts, as if somebody had asked for a dump meanwhile");
  if (!closed || !total) return refuse("it does not end in 'totals:' and a number, so it was cut off");
  // The one is counted while it runs, the other summed up over functions: a process that forks has a few
  // instructions that are in one of them alone.
  if (summary && std::max(*summary, *total) - std::min(*summary, *total) > *total / kSumsMayDiffer)
    return refuse(fmt::format("its summary is {} and its total {}, so it is damaged", *summary, *total));
  return *total;
}

Expected<uint64_t> strace_total(std::string_view text) {
  uint64_t sum = 0;
  std::optional<uint64_t> total;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const size_t blank = line.find_first_of(kBlank);
    if (blank == std::string_view::npos) continue;
    const std::optional<uint64_t> calls = number(line.substr(0, blank));
    if (!calls) continue;  // the heading, rules, and what strace says of processes that come and go
    const std::string_view name = trim(line.substr(blank));
    if (name.find_first_of(kBlank) != std::string_view::npos)
      return refuse(fmt::format("its line '{}' is no count and a name", line.substr(0, 60)));
    if (total) return refuse("it goes on after its total");
    if (name == "total") {
      total = calls;
    } else if (__builtin_add_overflow(sum, *calls, &sum)) {
      return refuse("its rows add up to more than any process could do");
    }
  }
  if (!total) return refuse("it has no total, so strace did not write it, or not to its end");
  if (*total != sum)
    return refuse(fmt::format("its total is {} and its rows are {}, so it is damaged", *total, sum));
  return *total;
}

std::optional<uint64_t> unhandled_system_call(std::string_view said) {
  constexpr std::string_view kSaid = "WARNING: unhandled amd64-linux syscall: ";
  const size_t at = said.find(kSaid);
  if (at == std::string_view::npos) return std::nullopt;
  said.remove_prefix(at + kSaid.size());
  return number(said.substr(0, said.find_first_not_of("0123456789")));
}

}  // namespace tickmark::run
