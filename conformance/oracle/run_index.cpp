#include "conformance/oracle/run_index.h"

#include <fmt/format.h>

namespace tickmark::conformance {

namespace {

std::string status_of(const Record& record) { return record.status.empty() ? "ok" : record.status; }

std::optional<Nanos> loop_now(const Record& record) {
  return record.loop_now < Nanos{0} ? std::nullopt : std::optional(record.loop_now);
}

const Span* pick(const std::vector<Span>& spans, int index) {
  if (spans.empty()) return nullptr;
  if (index == Occurrence::kLast) return &spans.back();
  const size_t at = index == Occurrence::kAll ? 0 : static_cast<size_t>(index) - 1;
  return at < spans.size() ? &spans[at] : nullptr;
}

}  // namespace

// A callback inside a callback is kept as it stands: it is then neither before nor after the outer one, and
// every order between the two fails.
Expected<void> RunIndex::add(size_t index) {
  const Record& record = trace_->records[index];
  switch (record.event) {
    case Event::begin:
      callbacks_[record.label].push_back({index, index});
      open_.push_back(index);
      return {};
    case Event::end: {
      if (open_.empty() || trace_->records[open_.back()].label != record.label) {
        return subject_error(fmt::format("the callback {} ends without having begun", record.label));
      }
      for (Span& span : callbacks_[record.label]) {
        if (span.begin == open_.back()) span.end = index;
      }
      open_.pop_back();
      return {};
    }
    case Event::schedule:
      schedules_[record.label].push_back(index);
      return {};
    case Event::complete:
      completions_[record.label].push_back(index);
      return {};
    case Event::run:
      callbacks_[record.label].push_back({index, index});
      return {};
    default:
      return {};
  }
}

Expected<RunIndex> RunIndex::build(const RunTrace& trace) {
  RunIndex index(trace);
  for (size_t i = 0; i < trace.records.size(); ++i) {
    const auto added = index.add(i);
    if (!added) return std::unexpected(added.error());
  }
  if (!index.open_.empty()) {
    return subject_error(fmt::format("the callback {} never ends", trace.records[index.open_.back()].label));
  }
  if (index.count("main") != 1) return subject_error("the trace does not hold main exactly once");
  return index;
}

std::vector<Span> RunIndex::spans(const Occurrence& of) const {
  std::vector<Span> all;
  const auto callbacks = callbacks_.find(of.label);
  if (callbacks != callbacks_.end()) {
    all = callbacks->second;
  } else if (const auto calls = schedules_.find(of.label); calls != schedules_.end()) {
    // A verb without a callback: the call itself is what happened. One with a callback that has not run must
    // not be mistaken for it; those carry no status.
    for (const size_t i : calls->second) {
      if (!trace_->records[i].status.empty()) all.push_back({i, i});
    }
  }
  if (of.index == Occurrence::kAll) return all;
  const Span* one = pick(all, of.index);
  return one == nullptr ? std::vector<Span>{} : std::vector<Span>{*one};
}

size_t RunIndex::count(const std::string& label) const {
  const auto found = callbacks_.find(label);
  return found == callbacks_.end() ? 0 : found->second.size();
}

std::vector<std::string> RunIndex::statuses(const std::string& label) const {
  std::vector<std::string> list;
  for (const Span& span : spans({label, Occurrence::kAll}))
    list.push_back(status_of(trace_->records[span.begin]));
  return list;
}

long RunIndex::bytes(const std::string& label) const {
  long sum = 0;
  for (const Span& span : spans({label, Occurrence::kAll})) sum += trace_->records[span.begin].bytes;
  return sum;
}

std::optional<Nanos> RunIndex::value(const Term& term) const {
  using Kind = Term::Kind;
  if (term.kind == Kind::constant) return term.value;
  if (term.kind == Kind::before && term.of.label == "main") return trace_->started;
  if (term.kind == Kind::begin || term.kind == Kind::end || term.kind == Kind::now_in) {
    const auto found = callbacks_.find(term.of.label);
    const Span* span = found == callbacks_.end() ? nullptr : pick(found->second, term.of.index);
    if (span == nullptr) return std::nullopt;
    if (term.kind == Kind::now_in) return loop_now(trace_->records[span->begin]);
    return trace_->records[term.kind == Kind::begin ? span->begin : span->end].time;
  }
  const auto& list = term.kind == Kind::complete ? completions_ : schedules_;
  const auto found = list.find(term.of.label);
  if (found == list.end()) return std::nullopt;
  const Record& record = trace_->records[found->second.front()];
  if (term.kind == Kind::now_at) return loop_now(record);
  if (term.kind == Kind::delay) return Nanos{record.ms * 1'000'000LL};
  return term.kind == Kind::after ? record.after : record.time;
}

std::vector<std::string> RunIndex::order_seen() const {
  std::vector<std::string> order;
  for (const Record& record : trace_->records) {
    if (record.event != Event::begin && record.event != Event::run) continue;
    if (record.label == "main") continue;
    const std::string status = status_of(record);
    order.push_back(status == "ok" ? record.label : fmt::format("{} ({})", record.label, status));
  }
  return order;
}

}  // namespace tickmark::conformance
