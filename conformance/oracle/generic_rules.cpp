#include "conformance/oracle/generic_rules.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

namespace tickmark::conformance {

namespace {

bool is_drained(std::string_view kind) { return kind == "tick" || kind == "microtask"; }

std::string at(const LoopRecord& record) {
  return fmt::format("{} {} in {} of turn {}", record.kind, record.id, record.phase, record.iteration);
}

class CallbacksNeverOverlap : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.event == LoopEvent::begin) {
      applies(record.count);
      if (open_) fail(fmt::format("{} began inside another callback", at(record)));
      if (record.time < last_end_)
        fail(fmt::format("{} began before the previous callback ended", at(record)));
      open_ = true;
    } else if (record.event == LoopEvent::end) {
      if (!open_) fail(fmt::format("{} ended inside another callback", at(record)));
      open_ = false;
      last_end_ = record.time;
    }
  }
  bool open_ = false;
  Nanos last_end_{0};
};

// Where in a turn a phase stands; a pending round after poll counts as a phase of its own.
int rank_of(std::string_view phase, int current) {
  if (phase == "pending") return current >= 3 ? 4 : 0;
  static constexpr std::array<std::pair<std::string_view, int>, 6> kRanks{
      {{"idle", 1}, {"prepare", 2}, {"poll", 3}, {"check", 5}, {"closing", 6}, {"timers", 7}}};
  const auto* found = std::ranges::find(kRanks, phase, &std::pair<std::string_view, int>::first);
  return found == kRanks.end() ? -1 : found->second;
}

class PhasesKeepTheirCycle : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.event != LoopEvent::begin || is_drained(record.kind) || record.phase == "outside") return;
    applies(record.count);
    if (record.iteration < iteration_) fail(fmt::format("{} after turn {}", at(record), iteration_));
    if (record.iteration != iteration_) rank_ = -1;
    iteration_ = record.iteration;
    const int rank = rank_of(record.phase, rank_);
    if (rank < rank_) fail(fmt::format("{} came after a later phase of that turn", at(record)));
    rank_ = std::max(rank, rank_);
    const std::string_view home = home_of(record.kind);
    if (!home.empty() && record.phase != home) fail(fmt::format("{} belongs into {}", at(record), home));
  }
  static std::string_view home_of(std::string_view kind) {
    if (kind == "idle" || kind == "prepare" || kind == "check") return kind;
    if (kind == "node_immediate") return "check";
    if (kind == "timer" || kind == "node_timeout") return "timers";
    if (kind == "pool" || kind == "async" || kind == "accept" || kind == "read") return "poll";
    return "";
  }
  uint64_t iteration_ = 0;
  int rank_ = -1;
};

class TimersNeverEarly : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.event != LoopEvent::begin || record.due < Nanos{0}) return;
    applies();
    if (record.loop_now < record.due) {
      fail(fmt::format("{} fired {} ns before it was due", at(record),
                       (record.due - record.loop_now).count()));
    }
  }
};

// Loop timers of one pass by (deadline, start); timeouts of one duration by the order they were set.
class TimersOrderedInPass : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.event != LoopEvent::begin || record.due < Nanos{0}) return;
    if (record.iteration != iteration_) {
      iteration_ = record.iteration;
      timer_ = {Nanos{-1}, 0};
      timeouts_.clear();
    }
    if (record.kind == "timer") {
      const std::pair mine{record.due, record.id};
      if (timer_.first >= Nanos{0}) applies();
      if (mine < timer_) fail(fmt::format("{} fired behind one that was due later", at(record)));
      timer_ = mine;
    } else if (record.group != 0) {
      uint64_t& last = timeouts_[record.group];
      if (last != 0) applies();
      if (record.id < last) fail(fmt::format("{} fired behind one of its duration set later", at(record)));
      last = record.id;
    }
  }
  uint64_t iteration_ = ~0ULL;
  std::pair<Nanos, uint64_t> timer_{Nanos{-1}, 0};
  std::unordered_map<uint64_t, uint64_t> timeouts_;
};

class QueuesDrainAfterCallbacks : public GenericRule {
  void see(const LoopRecord& record) override {
    if (is_drained(record.kind)) {
      if (record.event == LoopEvent::schedule) waiting_.insert(record.id);
      if (record.event == LoopEvent::begin) waiting_.erase(record.id);
      fed_ = true;
      return;
    }
    if (record.event != LoopEvent::begin) return;
    if (fed_) applies();
    fed_ = false;
    if (!waiting_.empty()) {
      fail(fmt::format("{} began while {} ticks and microtasks waited", at(record), waiting_.size()));
      waiting_.clear();
    }
  }
  bool fed_ = false;
  std::unordered_set<uint64_t> waiting_;
};

class TicksBeforeMicrotasks : public GenericRule {
  void see(const LoopRecord& record) override {
    if (!is_drained(record.kind)) {
      if (record.event == LoopEvent::begin) last_ = 0;  // a new drain
      return;
    }
    const bool tick = record.kind == "tick";
    std::deque<uint64_t>& mine = tick ? ticks_ : microtasks_;
    const std::deque<uint64_t>& other = tick ? microtasks_ : ticks_;
    if (record.event == LoopEvent::schedule) mine.push_back(record.id);
    if (record.event != LoopEvent::begin) return;
    applies();
    if (mine.empty() || mine.front() != record.id) fail(fmt::format("{} overtook another", at(record)));
    const auto found = std::ranges::find(mine, record.id);
    if (found != mine.end()) mine.erase(found);
    // A drain starts with the ticks; a queue once started is emptied before the other goes on.
    const int code = tick ? 1 : 2;
    const bool first_ticks = tick && last_ == 0;
    if (last_ != code && !first_ticks && !other.empty()) {
      fail(fmt::format("{} ran while {} waited", at(record), tick ? "microtasks" : "ticks"));
    }
    last_ = code;
  }
  std::deque<uint64_t> ticks_;
  std::deque<uint64_t> microtasks_;
  int last_ = 0;
};

class ImmediatesInOrder : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.event != LoopEvent::begin || record.kind != "node_immediate") return;
    applies();
    if (record.phase != "check") fail(fmt::format("{} is not in check", at(record)));
    if (record.id < last_) fail(fmt::format("{} ran behind one queued later", at(record)));
    last_ = record.id;
  }
  uint64_t last_ = 0;
};

// Which turn something runs in that is served once per turn, in `phase`.
uint64_t turn_for(const LoopRecord& schedule, std::string_view phase) {
  const int mine = rank_of(schedule.phase, 0);
  return mine >= 0 && mine < rank_of(phase, 0) ? schedule.iteration : schedule.iteration + 1;
}

// What is queued before a phase is served by it; what is queued while it runs waits for the next turn.
class ServedInItsTurn : public GenericRule {
 public:
  ServedInItsTurn(std::string_view kind, std::string_view phase) : kind_(kind), phase_(phase) {}

 private:
  void see(const LoopRecord& record) override {
    if (record.kind != kind_) return;
    if (record.event == LoopEvent::schedule) due_[record.id] = turn_for(record, phase_);
    if (record.event != LoopEvent::begin) return;
    if (record.phase != phase_) fail(fmt::format("{} is not in {}", at(record), phase_));
    const auto found = due_.find(record.id);
    if (found == due_.end()) return;
    applies();
    if (record.iteration != found->second)
      fail(fmt::format("{} belongs into turn {}", at(record), found->second));
    due_.erase(found);
  }
  std::string_view kind_;
  std::string_view phase_;
  std::unordered_map<uint64_t, uint64_t> due_;
};

class RequestsCompleteOnce : public GenericRule {
  void see(const LoopRecord& record) override {
    last_time_ = std::max(last_time_, record.time);
    const bool request = record.kind == "pool" || record.kind == "close" || record.kind == "write_done" ||
                         record.kind == "connect" || record.kind == "shutdown";
    if (!request || record.id == 0) return;
    if (record.event == LoopEvent::schedule) open_[record.id] = record.time;
    if (record.event != LoopEvent::begin) return;
    applies();
    if (open_.erase(record.id) == 0) fail(fmt::format("{} completed without being outstanding", at(record)));
  }
  // What was asked for just before the end may be on its way; what is older was lost. Only the program's own
  // requests end by themselves: a write or a connection waits for its peer, and may do so for ever.
  void finish() override {
    static constexpr Nanos kOnItsWay = 2s;
    for (const auto& [id, asked] : open_) {
      if (asked + kOnItsWay < last_time_) fail(fmt::format("request {} never completed", id));
    }
  }
  Nanos last_time_{0};
  std::unordered_map<uint64_t, Nanos> open_;
};

class PoolCompletionsInPoll : public GenericRule {
  void see(const LoopRecord& record) override {
    if (record.kind != "pool") return;
    if (record.event == LoopEvent::schedule) loop_thread_ = record.thread;
    // Cancelled work is complete, too, by the loop's own hand.
    if (record.event == LoopEvent::complete) finished_[record.id] = record.time;
    if (record.event != LoopEvent::begin) return;
    applies();
    if (record.phase != "poll") fail(fmt::format("{} is not in poll", at(record)));
    if (record.thread != loop_thread_) fail(fmt::format("{} is not on the loop's thread", at(record)));
    const auto found = finished_.find(record.id);
    if (found != finished_.end() && found->second > record.time) {
      fail(fmt::format("{} was reported before it had ended", at(record)));
    }
    if (found != finished_.end()) finished_.erase(found);
  }
  int64_t loop_thread_ = 0;
  std::unordered_map<uint64_t, Nanos> finished_;
};

using Maker = std::unique_ptr<GenericRule> (*)();
constexpr std::array<std::pair<std::string_view, Maker>, 11> kMakers{{
    {"callbacks_never_overlap", [] { return std::unique_ptr<GenericRule>(new CallbacksNeverOverlap); }},
    {"phases_keep_their_cycle", [] { return std::unique_ptr<GenericRule>(new PhasesKeepTheirCycle); }},
    {"timers_never_early", [] { return std::unique_ptr<GenericRule>(new TimersNeverEarly); }},
    {"timers_ordered_in_pass", [] { return std::unique_ptr<GenericRule>(new TimersOrderedInPass); }},
    {"queues_drain_after_callbacks",
     [] { return std::unique_ptr<GenericRule>(new QueuesDrainAfterCallbacks); }},
    {"ticks_before_microtasks", [] { return std::unique_ptr<GenericRule>(new TicksBeforeMicrotasks); }},
    {"immediates_in_order", [] { return std::unique_ptr<GenericRule>(new ImmediatesInOrder); }},
    {"immediates_in_their_turn",
     [] { return std::unique_ptr<GenericRule>(new ServedInItsTurn("node_immediate", "check")); }},
    {"closing_callbacks_in_their_turn",
     [] { return std::unique_ptr<GenericRule>(new ServedInItsTurn("close", "closing")); }},
    {"requests_complete_once", [] { return std::unique_ptr<GenericRule>(new RequestsCompleteOnce); }},
    {"pool_completions_in_poll", [] { return std::unique_ptr<GenericRule>(new PoolCompletionsInPoll); }},
}};

}  // namespace

std::unique_ptr<GenericRule> make_generic_rule(std::string_view name) {
  const auto* found = std::ranges::find(kMakers, name, &std::pair<std::string_view, Maker>::first);
  return found == kMakers.end() ? nullptr : found->second();
}

bool is_generic_predicate(std::string_view name) { return make_generic_rule(name) != nullptr; }

}  // namespace tickmark::conformance
