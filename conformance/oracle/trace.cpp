#include "conformance/oracle/trace.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tickmark::conformance {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 11> kEvents{"trace",     "start",    "schedule", "begin",
                                                   "end",       "complete", "run",      "unsupported",
                                                   "quiescent", "finish",   "hang"};

// Each reads a key if it is there; false when its type is wrong.
bool read_text(const json& object, const char* key, std::string& into) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

template <typename Number>
bool read_number(const json& object, const char* key, Number& into) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!found->is_number_integer()) return false;
  into = found->get<Number>();
  return true;
}

bool read_time(const json& object, const char* key, Nanos& into) {
  int64_t count = into.count();
  if (!read_number(object, key, count)) return false;
  into = Nanos{count};
  return true;
}

bool read_switch(const json& object, const char* key, bool& into) {
  const auto found = object.find(key);
  if (found == object.end()) return true;
  if (!found->is_boolean()) return false;
  into = found->get<bool>();
  return true;
}

bool read_hang(const json& object, Record& record) {
  Hang& hang = record.hang;
  hang.states = record.reason;
  return read_time(object, "lasted_ns", hang.lasted) && read_time(object, "cpu_ns", hang.cpu) &&
         read_time(object, "waited_ns", hang.waited) && read_time(object, "lost_ns", hang.lost);
}

bool read_keys(const json& object, Record& record) {
  return read_text(object, "label", record.label) && read_text(object, "site", record.site) &&
         read_text(object, "cause", record.cause) && read_text(object, "phase", record.phase) &&
         read_text(object, "status", record.status) && read_text(object, "reason", record.reason) &&
         read_text(object, "scenario", record.scenario) && read_text(object, "verb", record.verb) &&
         read_time(object, "time_ns", record.time) && read_time(object, "after_ns", record.after) &&
         read_time(object, "loop_now_ns", record.loop_now) && read_number(object, "ms", record.ms) &&
         read_number(object, "bytes", record.bytes) && read_number(object, "run", record.run) &&
         read_switch(object, "last", record.last);
}

}  // namespace

Expected<Record> parse_record(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return subject_error("is no JSON object");
  std::string event;
  if (!read_text(object, "event", event)) return subject_error("\"event\" is no text");
  // The event named "run" is a turn of the loop that returned; the key "run" is a repetition's number.
  const auto* known = std::ranges::find(kEvents, event);
  if (known == kEvents.end())
    return subject_error(fmt::format("\"{}\" is no event of docs/traces.md", event));
  Record record;
  record.event = static_cast<Event>(known - kEvents.begin());
  if (!read_keys(object, record)) return subject_error("a key has the wrong type");
  if (record.event == Event::hang && !read_hang(object, record))
    return subject_error("a key has the wrong type");
  return record;
}

TraceReader::TraceReader(std::istream& stream, std::string name) : stream_(stream), name_(std::move(name)) {}

std::unexpected<Error> TraceReader::refuse(std::string_view why) const {
  return subject_error(fmt::format("trace {} line {}: {}", name_, line_number_, why));
}

Expected<std::optional<Record>> TraceReader::next_record() {
  if (!std::getline(stream_, line_)) return std::nullopt;
  ++line_number_;
  if (stream_.eof()) return std::nullopt;  // the player died in the middle of this line
  if (line_.size() > kLineBytesMax) return refuse("is longer than 64 KiB");
  auto record = parse_record(line_);
  if (!record) return refuse(record.error().message);
  return std::move(*record);
}

Expected<void> TraceReader::take(Record record) {
  if (!in_run_) return refuse("stands outside a run: no \"start\" before it");
  if (current_.records.size() >= kRunRecordsMax) return refuse("a run has more than 200000 records");
  current_.text += line_;
  current_.text += '\n';
  if (record.event == Event::hang) {
    current_.hang = std::move(record.hang);
    return {};
  }
  current_.records.push_back(std::move(record));
  return {};
}

Expected<std::optional<TraceItem>> TraceReader::next() {
  while (true) {
    auto read = next_record();
    if (!read) return std::unexpected(read.error());
    if (!*read) return std::nullopt;
    Record& record = **read;
    if (record.event == Event::trace) continue;
    if (record.event == Event::unsupported) {
      return Unsupported{std::move(record.scenario), std::move(record.verb), std::move(record.reason)};
    }
    if (record.event == Event::start) {
      if (in_run_) return refuse("a run starts inside a run");
      in_run_ = true;
      current_ = RunTrace{
          .scenario = record.scenario, .run = record.run, .started = record.time, .text = line_ + "\n"};
      continue;
    }
    if (record.event == Event::finish) {
      if (!in_run_ || record.scenario != current_.scenario)
        return refuse("finishes a run that did not start");
      in_run_ = false;
      current_.status = std::move(record.status);
      current_.reason = std::move(record.reason);
      current_.last = record.last;
      current_.text += line_ + "\n";
      return std::move(current_);
    }
    const auto taken = take(std::move(record));
    if (!taken) return std::unexpected(taken.error());
  }
}

}  // namespace tickmark::conformance
