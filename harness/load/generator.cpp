#include "harness/load/generator.h"

#include <algorithm>
#include <cassert>
#include <climits>
#include <fmt/core.h>
#include <span>

namespace tickmark::load {
namespace {

constexpr Nanos kInterruptEvery = 100ms;
constexpr Nanos kProgressEvery = 250ms;
// Connects (and first sends of a closed loop) between two looks at what has arrived.
constexpr int kBurst = 32;
// A generator that cannot keep up with its schedule must still read its replies, or it would blame the
// subject for their age: so many arrivals are sent before each look, and between two replies.
constexpr int kArrivalsPerTurn = 64;
constexpr int kArrivalsPerEvent = 2;
constexpr int kAll = INT_MAX;
constexpr int kSweepsMax = 64;  // 16,000 replies

}  // namespace

Generator::Generator(const LoadConfig& config, const LoadHooks& hooks, Poller& poller, Sources& sources)
    : config_(config), hooks_(hooks), poller_(poller) {
  for (uint32_t i = 0; i < config.lanes.size(); ++i) {
    lanes_.push_back(std::make_unique<Lane>(config.lanes[i], config, i, poller, sources, buffers_));
    connections_ += config.lanes[i].connections;
  }
}

Expected<LoadReport> Generator::run() {
  if (config_.scenario == Scenario::kOrderly) {
    if (Expected<void> done = ramp(); !done) return std::unexpected(done.error());
    if (!report_.failure.empty() || report_.interrupted) return report();
    if (hooks_.on_ramp_end) hooks_.on_ramp_end();
    warm_up();
    open_window();
    kick_all();
  } else {
    if (hooks_.on_ramp_end) hooks_.on_ramp_end();
    open_window();
    storm();
  }
  run_until(window_end_);
  close_window();
  drain();
  return report();
}

void Generator::warm_up() {
  if (config_.warmup <= Nanos{0}) return;
  Nanos begin = now();
  for (auto& lane : lanes_) {
    lane->start_warmup(begin, begin + config_.warmup);
    lane->follow_up(true);
  }
  kick_all();
  run_until(begin + config_.warmup);
}

/// Closed loops begin to turn, a few connections at a time so that replies are not left lying meanwhile.
void Generator::kick_all() {
  for (auto& lane : lanes_) {
    lane->follow_up(true);
    if (!lane->closed_loop()) continue;
    for (int i = 0; i < lane->connections(); ++i) {
      lane->kick(static_cast<uint32_t>(i), now());
      if (i % kBurst == kBurst - 1) turn(now());
    }
  }
}

void Generator::open_window() {
  // The hook reads the subject's counters and may take a while: the measured schedule starts after it, so
  // that no arrival of the window falls due while nobody looks.
  if (hooks_.on_window_start) hooks_.on_window_start();
  cpu_begin_ = thread_cpu_time();
  spun_begin_ = poller_.spun();
  syscalls_begin_ = poller_.syscalls();
  answered_begin_ = 0;
  for (auto& lane : lanes_) {
    answered_by_lane_.push_back(lane->core().answered());
    answered_begin_ += answered_by_lane_.back();
  }
  window_start_ = now();
  window_end_ = window_start_ + config_.duration;
  for (auto& lane : lanes_) lane->start_window(window_start_, window_end_);
  in_window_ = true;
}

void Generator::storm() {
  for (auto& lane : lanes_) {
    lane->follow_up(true);
    for (int i = 0; i < lane->connections(); ++i) {
      Nanos at = now();
      lane->issue_due(at, kAll);
      lane->connect_first(static_cast<uint32_t>(i), Scenario::kStorm, at);
      if (i % kBurst == kBurst - 1) turn(now());
    }
  }
}

void Generator::close_window() {
  Nanos at = now();
  // Arrivals due up to the very end belong to the window, whoever was asleep when it came.
  for (auto& lane : lanes_) {
    lane->issue_due(at, kAll);
    lane->follow_up(false);
  }
  // What has already arrived is stamped before the hook makes it wait.
  for (int i = 0; i < kSweepsMax && turn(now()) > 0; ++i) {
  }
  in_window_ = false;
  ClientReport& client = report_.client;
  client.cpu_time = thread_cpu_time() - cpu_begin_ - (poller_.spun() - spun_begin_);
  client.syscalls = poller_.syscalls() - syscalls_begin_;
  at = now();
  report_.window = std::min(at, window_end_) - window_start_;
  for (auto& lane : lanes_) lane->core().end_window(std::min(at, window_end_));
  client.cpu_utilisation = std::clamp(seconds(client.cpu_time) / seconds(at - window_start_), 0.0, 1.0);
  for (auto& lane : lanes_) report_.answered_between_hooks += lane->core().answered();
  report_.answered_between_hooks -= answered_begin_;
  for (size_t i = 0; i < lanes_.size(); ++i)
    answered_by_lane_[i] = lanes_[i]->core().answered() - answered_by_lane_[i];
  if (hooks_.on_window_end) hooks_.on_window_end();
  client.end_hook_time = now() - at;
}

void Generator::drain() {
  Nanos end = now() + config_.drain;
  while (!all_ended() && now() < end) turn(end);
  Nanos at = now();
  for (auto& lane : lanes_) lane->core().end_drain(at);
}

bool Generator::all_ended() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](auto& lane) { return lane->core().all_measured_ended(); });
}

LoadReport Generator::report() {
  for (auto& lane : lanes_) {
    report_.lanes.push_back(lane->report());
    if (!answered_by_lane_.empty())  // there was a window
      report_.lanes.back().answered_between_hooks = answered_by_lane_[report_.lanes.size() - 1];
    if (report_.failure.empty()) report_.failure = lane->environment_fault();
    lane->close_all();
  }
  uint64_t late = 0;
  for (auto& lane : lanes_) {
    // Equal layouts always merge.
    [[maybe_unused]] bool merged = report_.client.lateness.merge(lane->core().lateness()).has_value();
    assert(merged);
    late += lane->core().sends_late();
  }
  uint64_t sends = report_.client.lateness.count();
  report_.client.late_share = sends == 0 ? 0 : static_cast<double>(late) / static_cast<double>(sends);
  return std::move(report_);
}

void Generator::run_until(Nanos until) {
  while (!report_.interrupted && now() < until) turn(until);
}

/// Sends what is due, waits until the next thing is (at most `until`), takes what has arrived.
size_t Generator::turn(Nanos until) {
  Nanos at = now();
  Nanos next = until;
  look_up(at);
  if (hooks_.interrupted) next = std::min(next, next_interrupt_check_);
  for (auto& lane : lanes_) {
    lane->issue_due(at, kArrivalsPerTurn);
    lane->maintain();
    next = std::min(next, lane->next_action());
  }
  std::span<const epoll_event> events = poller_.wait(next);
  for (const epoll_event& event : events) {
    lanes_[event.data.u64 >> 32]->on_event(static_cast<uint32_t>(event.data.u64), event.events);
    // A long batch must not make the next arrivals late.
    for (auto& lane : lanes_) {
      if (lane->core().next_due() != Nanos::max()) lane->issue_due(now(), kArrivalsPerEvent);
    }
  }
  return events.size();
}

/// Asks whether to stop, and tells how far it is, now and then.
void Generator::look_up(Nanos at) {
  if (at >= next_interrupt_check_) {
    next_interrupt_check_ = at + kInterruptEvery;
    if (hooks_.interrupted && hooks_.interrupted()) report_.interrupted = true;
  }
  if (in_window_ && hooks_.progress && at >= next_progress_) {
    next_progress_ = at + kProgressEvery;
    uint64_t answered = 0;
    for (auto& lane : lanes_) answered += lane->core().answered();
    hooks_.progress(at - window_start_, answered - answered_begin_);
  }
}

}  // namespace tickmark::load
