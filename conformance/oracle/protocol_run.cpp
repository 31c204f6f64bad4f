#include "conformance/oracle/protocol_run.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace tickmark::conformance {

namespace {

using nlohmann::json;

constexpr std::array kCalls{"clear",       "refresh",   "restart",   "again",
                            "ref",         "unref",     "cancel",    "send",
                            "busy",        "read_stop", "stop_loop", "busy_until_overdue",
                            "wait_started"};

std::vector<json> list_of(const json& steps) { return {steps.begin(), steps.end()}; }

bool is_call(const std::string& verb) { return std::ranges::find(kCalls, verb) != kCalls.end(); }

bool fits(unsigned count, const std::string& range) {
  if (range.starts_with(">=")) return count >= static_cast<unsigned>(std::stoul(range.substr(2)));
  return count == static_cast<unsigned>(std::stoul(range));
}

}  // namespace

RunCheck::RunCheck(const ProtocolCase& one) : case_(one) {
  const json steps = json::parse(one.steps);
  callbacks_["main"] = {.verb = "main", .steps = {{1, list_of(steps)}}, .scheduled = true};
  learn(steps);
}

void RunCheck::learn(const json& steps) {
  for (const json& step : list_of(steps)) {
    const auto verb = step["verb"].get<std::string>();
    const auto label = step.value("label", "");
    if (is_call(verb)) {
      if (!label.empty()) calls_[label] = verb;
      continue;
    }
    const json then = step.value("then", json::array());
    Callback callback{.verb = verb, .steps = {{1, list_of(then)}}, .ms = step.value("ms", -1L)};
    learn(then);
    const json at = step.value("at", json::object());
    for (auto later = at.begin(); later != at.end(); ++later) {
      callback.steps[static_cast<unsigned>(std::stoul(later.key()))] = list_of(later.value());
      learn(later.value());
    }
    callbacks_[label] = callback;
    if (step.contains("eof"))
      callbacks_[step["eof"].get<std::string>()] = {
          .verb = "read", .steps = {}, .scheduled = true, .is_eof = true};
  }
}

std::vector<std::string> RunCheck::take(const json& record) {
  const auto event = record["event"].get<std::string>();
  if (quiescent_) complain("after \"quiescent\" comes \"finish\" and nothing else");
  if (event == "schedule") schedule(record);
  if (event == "begin") begin(record);
  if (event == "end") end(record);
  if (event == "complete" && !callbacks_.contains(record["label"]))
    complain(fmt::format("\"complete\" names {}, which the scenario does not have", record["label"].dump()));
  if (event == "run") statuses_[record["label"]] = record["status"];
  if (event == "quiescent") {
    quiescent_ = true;
    if (!open_.empty()) complain(fmt::format("quiescent within {}: its \"end\" is missing", open_.back()));
  }
  in_time(record);
  return std::exchange(complaints_, {});
}

// Work is stamped by its worker: of all records it alone may be older than the line before it.
void RunCheck::in_time(const json& record) {
  if (record["event"] == "complete") return;
  const auto time = record["time_ns"].get<int64_t>();
  if (time < time_ns_)
    complain("time_ns goes back: lines stand in the order of events, on one monotonic clock");
  time_ns_ = std::max(time_ns_, record.value("after_ns", time));
  if (record.value("after_ns", time) < time) complain("after_ns is read after the call, time_ns before it");
}

void RunCheck::expect_steps(const std::string& label, unsigned run) {
  due_.clear();
  const Callback& callback = callbacks_[label];
  const auto steps = callback.steps.find(run);
  if (steps == callback.steps.end()) return;
  for (const json& step : steps->second) {
    const auto own = step.value("label", "");
    if (!own.empty()) due_.push_back(own);
  }
}

void RunCheck::schedule(const json& record) {
  const auto label = record["label"].get<std::string>(), cause = record["cause"].get<std::string>();
  const auto call = calls_.find(label);
  const auto callback = callbacks_.find(label);
  if (call == calls_.end() && (callback == callbacks_.end() || label == "main"))
    return complain(fmt::format("\"schedule\" names \"{}\", which the scenario does not have", label));
  const std::string& verb = call == calls_.end() ? callback->second.verb : call->second;
  if (cause != verb)
    complain(fmt::format("the cause of {} is its verb \"{}\", not \"{}\"", label, verb, cause));
  if (open_.empty()) return complain(fmt::format("{} is scheduled outside of any callback", label));
  if (record["site"] != open_.back())
    complain(fmt::format("the site of {} is the callback it is scheduled in, {}", label, open_.back()));
  if (due_.empty() || due_.front() != label) {
    complain(fmt::format("steps are executed in the order of their list: in {} {} should come now, not {}",
                         open_.back(), due_.empty() ? "nothing" : due_.front(), label));
  }
  std::erase(due_, label);
  if (call != calls_.end()) {
    statuses_[label] = record.value("status", "");
    return;
  }
  callback->second.scheduled = true;
  callback->second.site = open_.back();
  const bool timed = verb == "timeout" || verb == "interval" || verb == "timer";
  if (timed && record.value("ms", -1L) != callback->second.ms)
    complain(fmt::format("\"schedule\" of a {} carries its delay as \"ms\": {}", verb, callback->second.ms));
}

void RunCheck::begin(const json& record) {
  const auto label = record["label"].get<std::string>();
  const auto found = callbacks_.find(label);
  if (found == callbacks_.end())
    return complain(fmt::format("\"begin\" of \"{}\", which the scenario does not have", label));
  Callback& callback = found->second;
  if (!open_.empty())
    complain(fmt::format("{} begins within {}: callbacks never overlap, or an \"end\" is missing", label,
                         open_.back()));
  if (callbacks_["main"].runs == 0 && label != "main") complain(fmt::format("{} begins before main", label));
  if (!callback.scheduled) complain(fmt::format("{} begins, but no \"schedule\" of it stands before", label));
  if (!callback.is_eof && record["site"] != callback.site)
    complain(fmt::format("the site of {} is where it was scheduled: \"{}\"", label, callback.site));
  if (record["cause"] != callback.verb && !(callback.is_eof && record["cause"] == "eof"))
    complain(fmt::format("the cause of {} is its verb \"{}\", not {}", label, callback.verb,
                         record["cause"].dump()));
  ++callback.runs;
  callback.bytes += record.value("bytes", 0L);
  statuses_[label] = record.value("status", "ok");
  open_.push_back(label);
  expect_steps(label, callback.runs);
}

void RunCheck::end(const json& record) {
  const auto label = record["label"].get<std::string>();
  if (open_.empty() || open_.back() != label)
    return complain(fmt::format("\"end\" of {}, which has not begun or has ended", label));
  for (const std::string& missing : due_)
    complain(fmt::format("{} ends without a \"schedule\" of {}, one of its steps", label, missing));
  due_.clear();
  open_.pop_back();
}

void RunCheck::check_sums() {
  for (const auto& [label, callback] : callbacks_) {
    const auto named = case_.counts.find(label);
    const std::string expected = named == case_.counts.end() ? "1" : named->second;
    if (!fits(callback.runs, expected))
      complain(fmt::format("{} ran {} times, the scenario says {}", label, callback.runs, expected));
  }
  for (const auto& [label, expected] : case_.statuses) {
    if (statuses_[label] != expected)
      complain(fmt::format("the status of {} is \"{}\", expected \"{}\"", label, statuses_[label], expected));
  }
  for (const auto& [label, expected] : case_.bytes) {
    if (callbacks_[label].bytes != expected)
      complain(fmt::format("{} got {} bytes, {} were written", label, callbacks_[label].bytes, expected));
  }
}

std::vector<std::string> RunCheck::finish() {
  if (!quiescent_) complain("\"quiescent\" is missing before \"finish\"");
  for (const std::string& label : open_) complain(fmt::format("{} has no \"end\"", label));
  check_sums();
  return std::exchange(complaints_, {});
}

}  // namespace tickmark::conformance
