#include "conformance/players/recorder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace tickmark::conformance {

Expected<Recorder> Recorder::open(const std::filesystem::path& trace, std::string_view player,
                                  unsigned pool) {
  UniqueFd file(::open(trace.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!file) {
    return usage_error(fmt::format("cannot write the trace {}: {}", trace.string(), std::strerror(errno)));
  }
  Recorder recorder(std::move(file));
  recorder.text_ = fmt::format(R"({{"event":"trace","schema":"tickmark.trace/1","player":"{}","pool":{}}})"
                               "\n",
                               player, pool);
  if (!recorder.write_out()) return usage_error(fmt::format("cannot write the trace {}", trace.string()));
  return recorder;
}

void Recorder::start(std::string_view scenario, unsigned run) {
  scenario_ = scenario;
  run_ = run;
  entries_.clear();
  tail_->added = 0;
  recording_ = true;
  started_ = now();
}

void Recorder::schedule(std::string_view label, std::string_view site, std::string_view cause, Nanos before,
                        Nanos after, std::optional<long> ms, std::string_view status, const LoopState& loop) {
  add({Kind::schedule, label, site, cause, status, before, after, ms, 0, loop});
}

void Recorder::begin(std::string_view label, std::string_view site, std::string_view cause,
                     std::string_view status, std::optional<long> bytes, const LoopState& loop) {
  add({Kind::begin, label, site, cause, status, now(), Nanos{0}, bytes, 0, loop});
}

void Recorder::end(std::string_view label, std::string_view site, std::string_view cause) {
  add({Kind::end, label, site, cause, "", now()});
}

void Recorder::complete(std::string_view label, Nanos time, int64_t thread) {
  add({.kind = Kind::complete,
       .label = label,
       .site = {},
       .cause = {},
       .status = {},
       .time = time,
       .thread = thread});
}

void Recorder::turned(std::string_view label, std::string_view mode, bool alive) {
  add({Kind::turned, label, "", mode, alive ? "alive" : "done", now()});
}

void Recorder::unsupported(std::string_view scenario, std::string_view verb, std::string_view reason) {
  const nlohmann::ordered_json record{
      {"event", "unsupported"}, {"scenario", scenario}, {"verb", verb}, {"reason", reason}};
  text_ += record.dump() + "\n";
  write_out();
}

void Recorder::quiescent() {
  if (recording_) quiescent_ = now();
  recording_ = false;
}

// Labels, verbs and statuses are [a-z0-9_]: nothing needs escaping.
void Recorder::print(const Entry& entry) {
  auto out = std::back_inserter(text_);
  const auto common = [&](std::string_view event) {
    fmt::format_to(out, R"({{"event":"{}","label":"{}","site":"{}","cause":"{}","time_ns":{})", event,
                   entry.label, entry.site, entry.cause, entry.time.count());
  };
  switch (entry.kind) {
    case Kind::schedule:
      common("schedule");
      fmt::format_to(out, R"(,"after_ns":{})", entry.after.count());
      if (entry.number) fmt::format_to(out, R"(,"ms":{})", *entry.number);
      break;
    case Kind::begin:
      common("begin");
      if (entry.number) fmt::format_to(out, R"(,"bytes":{})", *entry.number);
      if (!entry.loop.phase.empty()) {
        fmt::format_to(out, R"(,"phase":"{}","iteration":{})", entry.loop.phase, entry.loop.iteration);
      }
      break;
    case Kind::end:
      common("end");
      break;
    case Kind::complete:
      fmt::format_to(out, R"({{"event":"complete","label":"{}","time_ns":{},"thread":{})", entry.label,
                     entry.time.count(), entry.thread);
      break;
    case Kind::turned:
      fmt::format_to(out, R"({{"event":"run","label":"{}","mode":"{}","time_ns":{})", entry.label,
                     entry.cause, entry.time.count());
      break;
  }
  if (entry.loop.now >= Nanos{0}) fmt::format_to(out, R"(,"loop_now_ns":{})", entry.loop.now.count());
  if (!entry.status.empty()) fmt::format_to(out, R"(,"status":"{}")", entry.status);
  text_ += "}\n";
}

void Recorder::print_start() {
  fmt::format_to(std::back_inserter(text_), R"({{"event":"start","scenario":"{}","run":{},"time_ns":{}}})",
                 scenario_, run_, started_.count());
  text_ += '\n';
}

void Recorder::hang(const HangTimes& times, std::string_view states) {
  print_start();
  const size_t added = tail_->added.load(std::memory_order_acquire);
  const size_t kept = std::min(added, tail_->entries.size());
  for (size_t i = added - kept; i < added; ++i) print(tail_->entries[i % tail_->entries.size()]);
  const nlohmann::ordered_json record{{"event", "hang"},
                                      {"lasted_ns", times.lasted.count()},
                                      {"cpu_ns", times.cpu.count()},
                                      {"waited_ns", times.waited.count()},
                                      {"lost_ns", times.lost.count()},
                                      {"reason", states}};
  text_ += record.dump() + "\n";
  write_out();
}

bool Recorder::finish() {
  auto out = std::back_inserter(text_);
  print_start();
  for (const Entry& entry : entries_) print(entry);
  fmt::format_to(out, R"({{"event":"quiescent","time_ns":{}}})", quiescent_.count());
  text_ += '\n';
  fmt::format_to(out, R"({{"event":"finish","scenario":"{}","run":{},"status":"ok"}})", scenario_, run_);
  text_ += '\n';
  return write_out();
}

bool Recorder::write_out() {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    rest.remove_prefix(static_cast<size_t>(written));
  }
  text_.clear();
  return true;
}

}  // namespace tickmark::conformance
