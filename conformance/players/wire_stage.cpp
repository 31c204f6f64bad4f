#include "conformance/players/wire_stage.h"

#include <algorithm>
#include <optional>
#include <poll.h>

namespace tickmark::conformance::wire {

namespace {

constexpr Nanos kStall = 300ms;
constexpr Nanos kNap = 50ms;

constexpr std::string_view kNotYet;

}  // namespace

bool Stage::play(const Scenario& scenario) {
  kept_waiting_then_ = kept_waiting();
  recorder_.begin("main", "", "main", "", std::nullopt, {});
  execute(scenario.steps, "main");
  recorder_.end("main", "", "main");
  while (!over_ && !pending_.empty()) turn();
  recorder_.quiescent();
  return !late_;
}

void Stage::execute(const std::vector<Step>& steps, std::string_view site) {
  for (const Step& step : steps) {
    if (over_) return;
    const Nanos before = recorder_.now();
    if (has_callback(step.verb))
      step.verb == Verb::open ? open(step, site) : wait_for(step, site);
    else
      call(step);
    if (step.label.empty()) continue;
    recorder_.schedule(step.label, site, name_of(step.verb), before, recorder_.now(), std::nullopt,
                       has_callback(step.verb) ? "" : "ok", {});
  }
}

void Stage::open(const Step& step, std::string_view site) {
  Connections& opened = connections(step.label);
  for (long i = 0; i < step.count; ++i) {
    opened.push_back(std::make_unique<Connection>(port_, dialect_, step.receive_buffer));
    pending_.push_back({.step = &step, .site = site, .connection = opened.back().get()});
  }
}

void Stage::wait_for(const Step& step, std::string_view site) {
  if (step.verb == Verb::after) {
    pending_.push_back({.step = &step, .site = site, .connection = nullptr, .due = now() + step.ms * 1ms});
    return;
  }
  for (const auto& connection : connections(step.on)) {
    Pending pending{.step = &step, .site = site, .connection = connection.get()};
    pending.heard_then = bytes_expected_[connection.get()];
    if (step.verb == Verb::expect && step.answers.empty()) {
      bytes_expected_[connection.get()] += static_cast<uint64_t>(step.bytes);
    }
    pending.bytes_due = bytes_expected_[connection.get()];
    pending_.push_back(pending);
  }
}

void Stage::call(const Step& step) {
  for (const auto& connection : connections(step.target)) {
    switch (step.verb) {
      case Verb::say:
        connection->say(step);
        break;
      case Verb::say_end:
        connection->say_end();
        break;
      case Verb::pause:
      case Verb::resume:
        connection->pause(step.verb == Verb::pause);
        break;
      default:
        connection->leave(step.verb == Verb::reset);
        for (Pending& pending : pending_) pending.done |= pending.connection == connection.get();
        break;
    }
    if (step.piece == 0) connection->proceed(0);
  }
}

void Stage::turn() {
  poll_all();
  settle();
  if (!over_ && idle_ >= patience_.each && !is_worth_waiting()) give_up();
}

bool Stage::is_worth_waiting() {
  const Nanos before = kept_waiting_then_;
  kept_waiting_then_ = kept_waiting();
  if (kept_waiting_then_ - before <= idle_ / 2 || renewals_ >= patience_.renewals) return false;
  ++renewals_;
  idle_ = Nanos{0};
  return true;
}

void Stage::poll_all() {
  std::vector<pollfd> watched;
  std::vector<Connection*> of;
  Nanos nap = kNap;
  for (const auto& [name, group] : connections_) {
    for (const auto& connection : group) {
      if (const auto due = connection->next_piece()) nap = std::min(nap, std::max(*due - now(), Nanos{1ms}));
      const short interest = connection->interest();
      if (interest == 0) continue;
      watched.push_back({connection->fd(), interest, 0});
      of.push_back(connection.get());
    }
  }
  for (const Pending& pending : pending_) {
    if (pending.step->verb == Verb::after) nap = std::clamp(pending.due - now(), Nanos{0}, nap);
  }
  const Nanos before = now();
  ::poll(watched.data(), watched.size(), static_cast<int>((nap + 999us) / 1ms));
  bool happened = false;
  for (size_t i = 0; i < watched.size(); ++i)
    happened |= watched[i].revents != 0 && of[i]->proceed(watched[i].revents);
  for (const auto& [name, group] : connections_) {
    for (const auto& connection : group) {
      if (connection->next_piece()) happened |= connection->proceed(0);
      connection->add_stuck(std::min(now() - before, kNap));
    }
  }
  idle_ = happened ? Nanos{0} : idle_ + std::min(now() - before, kNap);
}

// In the order they were asked for; what a callback adds is looked at in the same pass.
void Stage::settle() {
  for (size_t i = 0; i < pending_.size() && !over_; ++i) {
    if (settle_one(pending_[i])) idle_ = Nanos{0};
  }
  std::erase_if(pending_, [](const Pending& pending) { return pending.done; });
}

bool Stage::settle_one(Pending& pending) {
  if (pending.done) return false;
  const std::string_view status = outcome(pending);
  if (status == kNotYet) return false;
  fire(pending, status);
  return true;
}

std::string_view Stage::outcome(Pending& pending) {
  const Connection* connection = pending.connection;
  switch (pending.step->verb) {
    case Verb::open:
      return connection->is_refused() ? "refused" : connection->is_connected() ? "ok" : kNotYet;
    case Verb::after:
      return now() >= pending.due ? "ok" : kNotYet;
    case Verb::stalled:
      if (connection->is_reset()) return "reset";
      return connection->all_said() ? "swallowed" : connection->stuck() >= kStall ? "ok" : kNotYet;
    default:
      return expectation(pending);
  }
}

// What is expected of one connection comes in the order it was expected in.
std::string_view Stage::expectation(Pending& pending) {
  Connection& connection = *pending.connection;
  const Step& step = *pending.step;
  for (const Pending& earlier : pending_) {
    if (&earlier == &pending) break;
    const Verb verb = earlier.step->verb;
    if (!earlier.done && earlier.connection == pending.connection &&
        (verb == Verb::expect || verb == Verb::expect_end))
      return kNotYet;
  }
  if (connection.is_wrong()) return "wrong_bytes";
  const bool is_end = step.verb == Verb::expect_end;
  if (!is_end && !step.answers.empty()) {
    const std::string_view status = answers_outcome(pending);
    if (status != kNotYet) return status;
  } else if (!is_end && connection.heard() >= pending.bytes_due) {
    return "ok";
  }
  if (connection.is_reset()) return "reset";
  if (!connection.has_ended()) return kNotYet;
  if (!is_end) return "end";
  const bool nothing_left = dialect_ == Dialect::echo
                                ? connection.heard() == pending.bytes_due
                                : connection.answers().answers().empty() && !connection.answers().is_amid();
  return nothing_left ? "ok" : "extra";
}

std::string_view Stage::answers_outcome(const Pending& pending) {
  const Step& step = *pending.step;
  auto& answers = pending.connection->answers().answers();
  const size_t count = step.answers.size() * static_cast<size_t>(step.times);
  if (answers.size() < count) return kNotYet;
  for (size_t i = 0; i < count; ++i) {
    const Answer& answer = answers[i];
    if (answer.status != step.answers[i % step.answers.size()]) return "wrong_answer";
    if (!step.body.empty() && answer.body != step.body) return "wrong_answer";
  }
  answers.erase(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(count));
  return "ok";
}

void Stage::fire(Pending& pending, std::string_view status) {
  pending.done = true;
  const Step& step = *pending.step;
  const std::string_view site = pending.site;  // callbacks may move nothing, but the entry is done with
  std::optional<long> bytes;
  if (step.verb == Verb::expect) {
    const uint64_t begin = step.answers.empty() ? pending.heard_then : 0;
    bytes =
        static_cast<long>(std::min(pending.connection->heard(), std::max(pending.bytes_due, begin)) - begin);
    if (!step.answers.empty()) bytes = static_cast<long>(pending.connection->heard());
  }
  recorder_.begin(step.label, site, name_of(step.verb), status, bytes, {});
  if (status == "ok") {
    const unsigned number = ++ran_[&step];
    if (number == 1) execute(step.then, step.label);
    if (const auto found = step.at.find(number); found != step.at.end()) execute(found->second, step.label);
  } else {
    over_ = true;
  }
  recorder_.end(step.label, site, name_of(step.verb));
}

void Stage::give_up() {
  late_ = true;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (!pending_[i].done) fire(pending_[i], "late");
  }
}

}  // namespace tickmark::conformance::wire
