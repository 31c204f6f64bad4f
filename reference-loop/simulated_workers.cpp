#include "reference-loop/simulated_workers.h"

#include <algorithm>

#include "reference-loop/pool.h"
#include "reference-loop/simulation.h"

namespace refloop {

SimulatedWorkers::SimulatedWorkers(Simulation& simulation, Pool& pool, std::size_t threads)
    : simulation_(simulation), pool_(pool), workers_(threads) {}

void SimulatedWorkers::work_arrived() {
  const auto idle = std::ranges::find_if(
      workers_, [](const Worker& worker) { return !worker.work && worker.time == Nanos::max(); });
  if (idle == workers_.end()) return;
  const auto& [least, most] = simulation_.options_.work_start;
  const Nanos delay = simulation_.is_open() ? Nanos{0} : simulation_.choices_->between(least, most);
  idle->time = simulation_.now_ + delay;
}

Nanos SimulatedWorkers::next_time() const {
  Nanos earliest = Nanos::max();
  for (const Worker& worker : workers_) {
    if (!worker.work || !simulation_.is_open()) earliest = std::min(earliest, worker.time);
  }
  return earliest;
}

void SimulatedWorkers::run_until(Nanos time) {
  for (Nanos next = next_time(); next <= time && next != Nanos::max(); next = next_time())
    step(pick_earliest(next));
}

// One of those whose next step is at `time`. Which one starts does not matter: the queue has an order.
std::size_t SimulatedWorkers::pick_earliest(Nanos time) {
  candidates_.clear();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].time != time || (workers_[i].work && simulation_.is_open())) continue;
    if (!workers_[i].work) return i;
    candidates_.push_back(i);
  }
  return candidates_[simulation_.choices_->pick(candidates_.size())];
}

void SimulatedWorkers::step(std::size_t index) {
  if (workers_[index].work)
    finish(index);
  else
    start(index);
}

void SimulatedWorkers::start(std::size_t index) {
  Worker& worker = workers_[index];
  worker.work = pool_.take_waiting();
  if (!worker.work) {
    worker.time = Nanos::max();
    return;
  }
  ++running_;
  // The clock of this thread: what the work spends itself is part of what it takes.
  const Nanos loop_now = std::exchange(simulation_.now_, worker.time);
  simulation_.thread_ = static_cast<std::int32_t>(index) + 2;
  worker.work->run_(*worker.work);
  simulation_.thread_ = 1;
  const Nanos spent_until = std::exchange(simulation_.now_, loop_now);
  if (simulation_.is_open()) {
    worker.time = spent_until;
    simulation_.agenda_.schedule(simulation_.wake_event_, spent_until);
  } else {
    const auto& [least, most] = simulation_.options_.work_time;
    worker.time = spent_until + simulation_.choices_->between(least, most);
  }
}

// And looks for more at once, as a thread does.
void SimulatedWorkers::finish(std::size_t index) {
  Worker& worker = workers_[index];
  --running_;
  Work& work = *std::exchange(worker.work, nullptr);
  const Nanos loop_now = std::exchange(simulation_.now_, worker.time);
  simulation_.thread_ = static_cast<std::int32_t>(index) + 2;
  pool_.finish(work);
  simulation_.thread_ = 1;
  simulation_.now_ = loop_now;
}

Nanos SimulatedWorkers::earliest_finish() const {
  Nanos earliest = Nanos::max();
  for (const Worker& worker : workers_) {
    if (worker.work) earliest = std::min(earliest, worker.time);
  }
  return earliest;
}

void SimulatedWorkers::finish_some(bool at_least_one) {
  while (has_running()) {
    candidates_.clear();
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i].work && workers_[i].time <= simulation_.now_) candidates_.push_back(i);
    }
    // The last option, unless one is owed: what still runs goes on running.
    const std::size_t options = candidates_.size() + (at_least_one ? 0 : 1);
    if (options == 0) return;
    const std::size_t chosen = simulation_.choices_->pick(options);
    if (chosen == candidates_.size()) return;
    at_least_one = false;
    const std::size_t index = candidates_[chosen];
    workers_[index].time = simulation_.now_;
    finish(index);
    start(index);
  }
}

void SimulatedWorkers::start_some() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const bool is_looking = !workers_[i].work && workers_[i].time <= simulation_.now_;
    if (!is_looking) continue;
    if (!simulation_.choices_->chance(500)) return;
    start(i);
  }
}

}  // namespace refloop
