#include "conformance/players/machine.h"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace tickmark::conformance {

namespace {

// busy_until_overdue: past rounding of the clock to milliseconds, and of the timer's own deadline.
constexpr Nanos kOverdueMargin = 2ms;

const std::string kMain = "main";

Nanos millis(long ms) { return Nanos{ms * 1'000'000LL}; }

}  // namespace

void spin_until(Nanos time) {
  while (now() < time) {
  }
}

void Machine::spend_until(Nanos time) { spin_until(time); }

void Machine::refuse(std::string_view target) const {
  std::fprintf(stderr, "the scenario refers to \"%.*s\", which has not been scheduled in this run\n",
               static_cast<int>(target.size()), target.data());
  std::_Exit(2);
}

int64_t Machine::current_thread() const { return gettid(); }

void Machine::play(const Scenario& scenario) {
  prepare(scenario);
  loop_thread_ = current_thread();
  run_main([&] {
    begin({kMain, "", kMain}, "", std::nullopt);
    execute(scenario.steps);
    end();
  });
  for (const Turn& turning : scenario.turns) {
    running_.push_back({kMain, "", kMain});
    execute(turning.before);
    running_.pop_back();
    const bool alive = turn(turning.mode);
    if (!turning.label.empty()) recorder_.turned(turning.label, name_of(turning.mode), alive);
  }
  recorder_.quiescent();
  ended_ = true;
}

void Machine::begin(const Running& callback, std::string_view status, std::optional<long> bytes) {
  recorder_.begin(callback.label, callback.site, callback.cause, status, bytes, loop_state());
  running_.push_back(callback);
}

void Machine::end() {
  if (running_.empty()) return;  // by end_all()
  const Running callback = running_.back();
  running_.pop_back();
  recorder_.end(callback.label, callback.site, callback.cause);
}

void Machine::end_all() {
  while (!running_.empty()) end();
}

void Machine::execute(const std::vector<Step>& steps) {
  for (const Step& step : steps) execute(step);
}

void Machine::execute(const Step& step) {
  if (step.verb == Verb::busy) return spend_until(recorder_.now() + millis(step.ms));
  if (step.verb == Verb::busy_until_overdue) {
    const auto target = instances_.find(step.target);
    if (target == instances_.end()) refuse(step.target);
    return spend_until(target->second.started_after + millis(target->second.step->ms) + kOverdueMargin);
  }
  const bool callback = has_callback(step.verb);
  const std::string_view site = running_.empty() ? "" : running_.back().label;
  if (callback) {
    // Before the call: a callback that wrongly runs inside it must find its instance.
    instances_[step.label] = {&step, site, 0, Nanos{0}};
    if (!step.eof.empty()) instances_[step.eof] = {&step, site, 0, Nanos{0}};
  }
  const Nanos before = recorder_.now();
  const std::string_view status = perform(step);
  const Nanos after = recorder_.now();
  if (callback) instances_[step.label].started_after = after;
  if (!callback && step.verb == Verb::restart) {
    if (const auto target = instances_.find(step.target); target != instances_.end()) {
      target->second.started_after = after;
    }
  }
  if (step.label.empty()) return;
  const bool timed = step.verb == Verb::timeout || step.verb == Verb::interval || step.verb == Verb::timer ||
                     step.verb == Verb::steady_timer || step.verb == Verb::work || step.verb == Verb::resolve;
  recorder_.schedule(step.label, site, name_of(step.verb), before, after,
                     timed ? std::optional(step.ms) : std::nullopt, status, loop_state());
}

void Machine::run_callback(const std::string& label, std::string_view cause, std::string_view status,
                           std::optional<long> bytes, const std::vector<Step>* steps) {
  if (current_thread() != loop_thread_) status = "wrong_thread";
  begin({label, instances_[label].site, cause}, status, bytes);
  if (steps != nullptr) execute(*steps);
  end();
}

void Machine::fire(const Step& step, std::string_view status, std::optional<long> bytes) {
  if (ended_) return;
  const unsigned number = ++instances_[step.label].fired;
  const bool repeats = step.verb == Verb::idle || step.verb == Verb::prepare || step.verb == Verb::check ||
                       step.verb == Verb::interval || (step.verb == Verb::timer && step.repeat_ms > 0);
  if (repeats && number == static_cast<unsigned>(step.times)) stop_source(step);
  const std::vector<Step>* steps = number == 1 ? &step.then : nullptr;
  if (const auto at = step.at.find(number); at != step.at.end()) steps = &at->second;
  run_callback(step.label, name_of(step.verb), status, bytes, steps);
}

void Machine::fire_eof(const Step& step, std::string_view status) {
  if (step.eof.empty() || ended_) return;
  const bool first = ++instances_[step.eof].fired == 1;
  run_callback(step.eof, "eof", status, std::nullopt, first ? &step.eof_then : nullptr);
}

}  // namespace tickmark::conformance
