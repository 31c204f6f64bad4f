#include "conformance/oracle/excerpt.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "conformance/oracle/judge.h"

namespace tickmark::conformance {

namespace {

// Each label costs a judgement of the whole run: a run of more records is only filtered.
constexpr size_t kReducedRecordsMax = 5'000;

RunTrace without(const RunTrace& trace, const std::set<std::string>& labels) {
  RunTrace rest{.scenario = trace.scenario, .run = trace.run, .started = trace.started};
  rest.status = trace.status;
  std::ranges::copy_if(trace.records, std::back_inserter(rest.records),
                       [&](const Record& record) { return !labels.contains(record.label); });
  return rest;
}

// Labels the sentence speaks of stay, whatever the judgement needs: without them it would be about nothing.
bool speaks_of(const std::string& sentence, const std::string& label) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (size_t at = sentence.find(label); at != std::string::npos; at = sentence.find(label, at + 1)) {
    const size_t end = at + label.size();
    if ((at == 0 || !is_word(sentence[at - 1])) && (end == sentence.size() || !is_word(sentence[end])))
      return true;
  }
  return false;
}

RunTrace reduced(const Rule& rule, const RunTrace& trace, const std::string& reason) {
  std::set<std::string> labels, dropped{""};  // quiescent carries no label, and shows nothing
  for (const Record& record : trace.records) labels.insert(record.label);
  for (const std::string& label : labels) {
    if (label == "main" || label.empty() || speaks_of(reason, label)) continue;
    dropped.insert(label);
    if (trace.records.size() > kReducedRecordsMax) continue;
    const RunVerdict verdict = judge(rule, without(trace, dropped));
    if (verdict.outcome != Outcome::fail || verdict.reason != reason) dropped.erase(label);
  }
  return without(trace, dropped);
}

std::string details(const Record& record) {
  std::string text;
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (!record.phase.empty()) add(record.phase);
  if (!record.status.empty() && record.status != "ok") add(record.status);
  if (record.bytes > 0) add(fmt::format("{} bytes", record.bytes));
  return text.empty() ? "" : " (" + text + ")";
}

std::string scheduled(const Record& record) {
  if (!record.status.empty()) return fmt::format("{}: {} says {}", record.label, record.cause, record.status);
  const std::string delay = record.ms > 0 ? fmt::format(", {} ms", record.ms) : "";
  return fmt::format("schedules {} ({}{})", record.label, record.cause, delay);
}

// One event in words; `alone`: its end follows at once.
std::string words(const Record& record, bool alone) {
  switch (record.event) {
    case Event::schedule:
      return scheduled(record);
    case Event::begin:
      return record.label + (alone ? " runs" : " begins") + details(record);
    case Event::end:
      return record.label + " ends";
    case Event::complete:
      return record.label + ": its work is done";
    case Event::run:
      return fmt::format("{}: the loop returns, {}", record.label, record.status);
    default:
      return record.label;
  }
}

std::vector<std::string> lines_of(const RunTrace& part) {
  std::vector<std::string> lines;
  size_t depth = 0;
  for (size_t i = 0; i < part.records.size(); ++i) {
    const Record& record = part.records[i];
    const bool alone = record.event == Event::begin && i + 1 < part.records.size() &&
                       part.records[i + 1].event == Event::end && part.records[i + 1].label == record.label;
    if (record.event == Event::end && depth > 0) --depth;
    if (!alone || record.label != "main") {  // a main in which nothing happens says nothing
      const double ms = static_cast<double>((record.time - part.started).count()) / 1e6;
      lines.push_back(fmt::format("{:>9.3f} ms  {:{}}{}", ms, "", 2 * depth, words(record, alone)));
    }
    if (alone) ++i;
    if (record.event == Event::begin && !alone) ++depth;
  }
  return lines;
}

}  // namespace

std::vector<std::string> excerpt(const Rule& rule, const RunTrace& trace, const std::string& reason) {
  std::vector<std::string> lines = lines_of(reduced(rule, trace, reason));
  if (lines.size() > kExcerptLinesMax) {
    const auto first = lines.begin() + kExcerptLinesMax / 2;
    const size_t more = lines.size() - kExcerptLinesMax + 1;
    *first = fmt::format("... {} more events ...", more);
    lines.erase(first + 1, first + static_cast<std::ptrdiff_t>(more));
  }
  return lines;
}

std::vector<std::string> last_events(const RunTrace& trace) {
  std::vector<std::string> lines = lines_of(trace);
  if (lines.size() <= kTailLinesMax) return lines;
  const size_t more = lines.size() - kTailLinesMax + 1;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(more - 1));
  lines.front() = fmt::format("... {} earlier events ...", more);
  return lines;
}

}  // namespace tickmark::conformance
