// How an end is told: for reports (ExitReport) and for people (one clause of a sentence).

#include <algorithm>
#include <fmt/format.h>
#include <string.h>

#include "harness/process/guarded.h"
#include "harness/process/paths.h"

namespace tickmark::process {

std::string command_text(const Command& command) {
  std::string text = fmt::format("{}", fmt::join(command, " "));
  if (text.size() > 160) text = text.substr(0, 157) + "...";
  return text;
}

std::string stderr_clause(const std::string& tail) {
  constexpr size_t kLimit = 600;
  std::string text;
  for (const char c : tail) {
    if (c == '\n') {
      if (!text.empty() && !text.ends_with(" | ")) text += " | ";
    } else {
      text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  while (text.ends_with(" ") || text.ends_with("|")) text.pop_back();
  if (text.size() > kLimit) text = "..." + text.substr(text.size() - kLimit);
  return text.empty() ? "; its stderr is empty" : "; its stderr ends: " + text;
}

std::string describe_end(int code, int signal) {
  if (signal != 0) return fmt::format("signal {}, {}", signal, ::strsignal(signal));
  return fmt::format("exit code {}", code);
}

ExitReport report_of(const Observed& seen) {
  ExitReport report;
  report.code = seen.code;
  report.signal = seen.signal;
  report.leftover = seen.leftover;
  static const std::filesystem::path root = find_root().value_or("");
  report.stderr_tail = told_from(root, seen.err_tail);
  report.rusage = seen.rusage;
  const auto last = nlohmann::json::parse(seen.final_line, nullptr, false);
  if (last.is_object() && last.contains("final")) report.final_counters = last["final"];
  return report;
}

}  // namespace tickmark::process
