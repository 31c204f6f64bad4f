#include "harness/output/progress.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tickmark::output {
namespace {

constexpr Nanos kRedrawEvery = 250ms;

std::string bar(int done, int total, int columns) {
  const int full = total > 0 ? done * columns / total : 0;
  return "[" + std::string(static_cast<size_t>(full), '#') +
         std::string(static_cast<size_t>(columns - full), '.') + "]";
}

}  // namespace

std::string duration_text(Nanos duration) {
  const auto whole = std::max<int64_t>(0, (duration.count() + 500'000'000) / 1'000'000'000);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

std::string progress_line(const ProgressState& s, int width) {
  const std::string tail = fmt::format(" {}/{} eta {}", s.done, s.total, duration_text(s.eta));
  const std::string block = fmt::format("  block {}/{}", s.block + 1, s.blocks);
  std::string state;
  if (s.silent >= 3s) {
    state = fmt::format("  no reply for {}", duration_text(s.silent));
  } else if (s.completed > 0) {
    state = fmt::format("  {} replies", s.completed);
  }
  std::string head = s.subject + "  " + s.cell;
  // What is left for the rest decides what may stay: first the bar goes, then replies, block, then the name.
  const size_t room = static_cast<size_t>(std::max(width - 1, 20));
  std::string middle = block + state + "  " + bar(s.done, s.total, 16);
  for (const std::string& shorter : {block + state, block, std::string()}) {
    if (head.size() + middle.size() + tail.size() <= room) break;
    middle = shorter;
  }
  if (head.size() + middle.size() + tail.size() > room) {
    head.resize(tail.size() + middle.size() < room ? room - tail.size() - middle.size() : 0);
  }
  return head + middle + tail;
}

Progress Progress::on_stderr() {
  const char* term = std::getenv("TERM");
  const char* no_colour = std::getenv("NO_COLOR");
  const bool live = ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
  return Progress(STDERR_FILENO, live, live && (no_colour == nullptr || *no_colour == '\0'));
}

void Progress::tick(const ProgressState& state, Nanos at) {
  if (!live_) return;
  if (at - last_drawn_ < kRedrawEvery) return;
  last_drawn_ = at;
  drawn_ = true;
  put("\r\x1b[K" + progress_line(state, width()));
}

void Progress::trial_ended(const ProgressState& state, std::string_view status, std::string_view detail) {
  const bool well = status == "ok" || status == "saturated";
  if (live_ && well) return;
  clear();
  std::string line = fmt::format("[{}/{}] {} {}: ", state.done, state.total, state.cell, state.subject);
  const bool red = colour_ && !well;
  line += fmt::format("{}{}{}", red ? "\x1b[31m" : "", status, red ? "\x1b[0m" : "");
  if (!detail.empty()) line += fmt::format(" - {}", detail);
  if (!live_) line += fmt::format(" (eta {})", duration_text(state.eta));
  put(line + "\n");
}

void Progress::say(std::string_view text) {
  clear();
  put(std::string(text) + "\n");
}

void Progress::clear() {
  if (!drawn_) return;
  put("\r\x1b[K");
  drawn_ = false;
}

void Progress::put(std::string_view text) {
  // A closed or full stderr must not end a run that is being recorded on disk.
  while (!text.empty()) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

int Progress::width() const {
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace tickmark::output
