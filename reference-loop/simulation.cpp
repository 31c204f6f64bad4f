#include "reference-loop/simulation.h"

#include <algorithm>
#include <cassert>
#include <sys/epoll.h>

#include "reference-loop/backend.h"
#include "reference-loop/simulated_network.h"
#include "reference-loop/simulated_workers.h"

namespace refloop {

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      own_choices_(options.choices ? nullptr : std::make_unique<SeededChoices>(options.seed)),
      choices_(options.choices ? options.choices : own_choices_.get()),
      now_(options.start),
      network_(std::make_unique<SimulatedNetwork>(*this)) {}

Simulation::~Simulation() { assert(!workers_ && "destroyed before its loop"); }

void Simulation::attach_waker(FdWatch& watch) {
  assert(!waker_watch_ && "a simulation serves one loop at a time");
  waker_watch_ = &watch;
}

void Simulation::attach_pool(Pool& pool, std::size_t threads) {
  workers_ = std::make_unique<SimulatedWorkers>(*this, pool, threads);
}

void Simulation::detach() {
  agenda_.withdraw(wake_event_);
  woken_ = false;
  waker_watch_ = nullptr;
  workers_.reset();
}

void Simulation::work_submitted() { workers_->work_arrived(); }

void Simulation::catch_up() { workers_->run_until(now_); }

// Whether a thread was quicker is open, too.
void Simulation::catch_up_for_cancel() {
  if (is_open())
    workers_->start_some();
  else
    workers_->run_until(now_);
}

void Simulation::spend(Nanos duration) {
  const Nanos end = now_ + std::max(duration, Nanos{0});
  if (workers_ && thread_ == 1) workers_->run_until(end);
  now_ = end;
}

bool Simulation::spend_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (!workers_ || thread_ != 1) return false;
    const Nanos next = workers_->next_time();
    if (next != Nanos::max()) {
      now_ = std::max(now_, next);
      workers_->run_until(now_);
    } else if (workers_->has_running()) {
      workers_->finish_some(true);
    } else {
      return false;
    }
  }
  return true;
}

Result<std::pair<Socket, Socket>> Simulation::socket_pair() { return network_->pair(); }

void Simulation::wake() {
  assert(std::this_thread::get_id() == real_thread_ && "a simulation has one thread");
  if (std::exchange(woken_, true) || collecting_) return;
  // The kernel knows of it: unlike bytes or work, which are under way, it cannot be late.
  agenda_.insist(wake_event_, now_);
}

// In open timing the wake-up is where it is decided what the virtual threads have finished.
void Simulation::deliver_wake() {
  if (is_open()) {
    collecting_ = true;
    workers_->finish_some(!woken_);
    collecting_ = false;
  }
  const bool woken = std::exchange(woken_, false);
  if (woken) waker_watch_->on_ready(*waker_watch_, EPOLLIN);
  if (is_open() && workers_->has_running())
    agenda_.schedule(wake_event_, std::max(now_, workers_->earliest_finish()));
}

// Not for ever: a loop that only closes would never end.
bool Simulation::defers_close() {
  const bool defers =
      closes_deferred_ < options_.patience && choices_->chance(options_.close_deferred_permille);
  closes_deferred_ = defers ? closes_deferred_ + 1 : 0;
  return defers;
}

}  // namespace refloop
