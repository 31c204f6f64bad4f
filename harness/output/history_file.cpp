// The history as a file: lines that are whole or not there, and a reader that nothing surprises.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/unique_fd.h"
#include "harness/output/history.h"

namespace tickmark::output {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const char* verb, const fs::path& file) {
  return environment_error(
      fmt::format("cannot {} the history {}: {}; name a file that can be written with --history", verb,
                  file.string(), std::strerror(errno)));
}

UniqueFd open_for_append(const fs::path& file) {
  return UniqueFd(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
}

bool ends_in_half_a_line(int fd) {
  const off_t end = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  return end > 0 && ::pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

/// Why a line is no run of ours; "" if it is one.
std::string why_foreign(const Json& record) {
  if (record.is_discarded()) return "is not valid JSON";
  const std::string schema = text_at(record, "schema"), known = std::string(kHistorySchema) + "/1";
  if (schema != known && !schema.starts_with(known + ".")) {
    return fmt::format("has schema '{}' where {} was expected", schema.substr(0, 60), known);
  }
  if (text_at(record, "utc").empty() || text_at(record, "machine").empty() ||
      list_at(record, "cells").empty())
    return "has no date, no machine or no ratio";
  return "";
}

}  // namespace

Expected<void> check_history(const fs::path& file) {
  if (!open_for_append(file)) return cannot("open", file);
  return {};
}

Expected<void> append_history(const fs::path& file, const Json& record) {
  const UniqueFd out = open_for_append(file);
  if (!out) return cannot("open", file);
  // O_APPEND alone keeps lines apart; the lock is for the look at what the file ends in.
  if (::flock(out.get(), LOCK_EX) != 0) return cannot("lock", file);
  const std::string line = (ends_in_half_a_line(out.get()) ? "\n" : "") + line_text(record);
  const ssize_t written = ::write(out.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    if (written >= 0) errno = ENOSPC;  // part of it: the next one begins a line of its own
    return cannot("append to", file);
  }
  if (::fdatasync(out.get()) != 0) return cannot("write", file);
  return {};
}

History parse_history(std::string_view text, std::string_view name) {
  History history;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Json record = Json::parse(line, nullptr, false);
    std::string why = why_foreign(record);
    if (!why.empty() && end == std::string_view::npos) why += ", as if its writer had been stopped";
    if (why.empty()) {
      history.runs.push_back(std::move(record));
    } else {
      history.notes.push_back(fmt::format("{} line {} was left out: it {}", name, number, why));
    }
  }
  // UTC as text sorts by time; runs that ended in another order, or files put together, are no surprise.
  std::ranges::stable_sort(history.runs, {}, [](const Json& run) { return text_at(run, "utc"); });
  return history;
}

Expected<History> read_history(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  std::error_code failure;
  if (!in.is_open() || in.bad() || !fs::is_regular_file(file, failure)) {
    return usage_error(fmt::format(
        "cannot read the history {}; name a file that 'tickmark run --history FILE' wrote", file.string()));
  }
  History history = parse_history(text.view(), file.string());
  if (!history.runs.empty() || history.notes.empty()) return history;
  return usage_error(
      fmt::format("{} is no history: none of its {} lines is a run's ({}); name a file that 'tickmark run "
                  "--history FILE' wrote",
                  file.string(), history.notes.size(), history.notes.front()));
}

}  // namespace tickmark::output
