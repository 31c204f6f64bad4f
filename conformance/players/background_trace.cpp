#include "conformance/players/background_trace.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <memory>
#include <string>

namespace tickmark::conformance {

namespace {

using refloop::Event;
using refloop::Kind;
using refloop::TraceRecord;

constexpr size_t kFlushBytes = 1 << 20;

// The workload's traffic: many, without an identity the rules need.
bool is_traffic(Kind kind) {
  return kind == Kind::read || kind == Kind::accept || kind == Kind::fd_ready || kind == Kind::drain;
}

class Writer {
 public:
  explicit Writer(std::FILE* file) : file_(file) {}

  void head(unsigned pool, uint64_t seed) {
    fmt::format_to(
        out(),
        R"({{"event":"trace","schema":"tickmark.trace/1","player":"reference_loop","kind":"background",)"
        R"("pool":{},"seed":{}}})"
        "\n",
        pool, seed);
  }

  void record(std::string_view event, const TraceRecord& record) {
    start(event, record);
    if (record.due != refloop::kNoDue) fmt::format_to(out(), R"(,"due_ns":{})", record.due.count());
    if (record.label != 0) fmt::format_to(out(), R"(,"group":{})", record.label);
    fmt::format_to(out(), R"(,"id":{},"loop_now_ns":{},"time_ns":{},"thread":{})", record.id,
                   record.loop_now.count(), record.time.count(), record.thread);
    finish();
  }

  void call(const TraceRecord& begin, const TraceRecord& end) {
    start("call", begin);
    if (begin.due != refloop::kNoDue) fmt::format_to(out(), R"(,"due_ns":{})", begin.due.count());
    if (begin.label != 0) fmt::format_to(out(), R"(,"group":{})", begin.label);
    fmt::format_to(out(), R"(,"id":{},"loop_now_ns":{},"time_ns":{},"end_ns":{},"thread":{})", begin.id,
                   begin.loop_now.count(), begin.time.count(), end.time.count(), begin.thread);
    finish();
  }

  void calls(const TraceRecord& first, const TraceRecord& last_end, size_t count) {
    start("call", first);
    fmt::format_to(out(), R"(,"count":{},"time_ns":{},"end_ns":{},"thread":{})", count, first.time.count(),
                   last_end.time.count(), first.thread);
    finish();
  }

  bool flush() {
    failed_ = failed_ || std::fwrite(text_.data(), 1, text_.size(), file_) != text_.size();
    text_.clear();
    return !failed_;
  }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  void start(std::string_view event, const TraceRecord& record) {
    fmt::format_to(out(), R"({{"event":"{}","cause":"{}","phase":"{}","iteration":{})", event,
                   name_of(record.kind), name_of(record.phase), record.iteration);
  }
  void finish() {
    text_ += "}\n";
    if (text_.size() >= kFlushBytes) flush();
  }

  std::FILE* file_;
  std::string text_;
  bool failed_ = false;
};

bool is_pair(const refloop::Trace& trace, size_t i) {
  return i + 1 < trace.size() && trace[i].event == Event::begin && trace[i + 1].event == Event::end &&
         trace[i].kind == trace[i + 1].kind && trace[i].id == trace[i + 1].id;
}

// A run of calls of one kind of traffic in one phase, from i: how many.
size_t traffic_run(const refloop::Trace& trace, size_t i) {
  const TraceRecord& first = trace[i];
  size_t count = 0;
  while (is_pair(trace, i) && trace[i].kind == first.kind && trace[i].phase == first.phase &&
         trace[i].iteration == first.iteration) {
    ++count;
    i += 2;
  }
  return count;
}

void write_records(const refloop::Trace& trace, Writer& writer) {
  for (size_t i = 0; i < trace.size();) {
    const TraceRecord& record = trace[i];
    if (is_pair(trace, i)) {
      const size_t count = is_traffic(record.kind) ? traffic_run(trace, i) : 1;
      if (is_traffic(record.kind)) {
        writer.calls(record, trace[i + 2 * count - 1], count);
      } else {
        writer.call(record, trace[i + 1]);
      }
      i += 2 * count;
      continue;
    }
    ++i;
    const bool of_no_use = record.event == Event::phase || record.event == Event::iteration ||
                           (record.event == Event::schedule && is_traffic(record.kind));
    if (!of_no_use) writer.record(name_of(record.event), record);
  }
}

}  // namespace

Expected<void> write_background_trace(const refloop::Trace& trace, const std::filesystem::path& path,
                                      unsigned pool, uint64_t seed) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file)
    return environment_error(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  Writer writer(file.get());
  writer.head(pool, seed);
  write_records(trace, writer);
  if (!writer.flush() || std::fflush(file.get()) != 0) {
    return environment_error(fmt::format("cannot write {}: is the disk full?", path.string()));
  }
  return {};
}

}  // namespace tickmark::conformance
