#include "reference-loop/simulated_backend.h"

#include <algorithm>

#include "reference-loop/limits.h"
#include "reference-loop/loop.h"
#include "reference-loop/simulated_network.h"
#include "reference-loop/simulated_workers.h"
#include "reference-loop/stream.h"
#include "reference-loop/sys.h"

namespace refloop {

std::unique_ptr<Backend> make_simulated_backend(Loop& loop) {
  return std::make_unique<SimulatedBackend>(loop, *loop.simulation());
}

SimulatedBackend::SimulatedBackend(Loop& loop, Simulation& simulation)
    : loop_(loop), simulation_(simulation) {}

void SimulatedBackend::poll(Nanos timeout) {
  simulation_.network_->bury();
  const Nanos now = simulation_.now();
  const bool for_ever = timeout < Nanos{0} || timeout > Nanos::max() - now;
  if (!watches_.empty()) look_at_descriptors(0);
  wait(for_ever ? Nanos::max() : now + timeout);
  loop_.update_time();
  deliver_descriptors(false);
  while (!batch_.empty()) batch_.pop_front().happen();
  deliver_descriptors(true);
}

// Fills the batch, moving the clock from one thing that happens to the next, at most to `deadline`.
void SimulatedBackend::wait(Nanos deadline) {
  const bool may_wait = deadline > simulation_.now_;
  if (!may_wait) deadline = simulation_.now_ += simulation_.options().turn_time;
  while (true) {
    simulation_.catch_up();
    simulation_.agenda_.advance(simulation_.now_);
    const bool may_be_empty = simulation_.now_ >= deadline || !ready_descriptors_.empty() ||
                              (simulation_.is_open() && deadline != Nanos::max());
    choose(may_be_empty);
    if (!batch_.empty() || !ready_descriptors_.empty() || simulation_.now_ >= deadline) break;
    const Nanos next = std::min(simulation_.agenda_.next_time(), simulation_.workers_->next_time());
    if (next == Nanos::max() && deadline == Nanos::max()) return stall();
    simulation_.now_ = std::min(next, deadline);
    if (next >= deadline) break;
  }
  if (may_wait) be_late();
}

// What comes in this turn, in which order. In drawn timing that is whatever has become ready; in open
// timing it may still be under way, and come in a later turn.
void SimulatedBackend::choose(bool may_be_empty) {
  Agenda& agenda = simulation_.agenda_;
  Choices& choices = simulation_.choices();
  for (int taken = 0; agenda.ready_count() > 0 && taken < kPollBatchEvents; ++taken) {
    const bool may_end = simulation_.is_open() && (may_be_empty || taken > 0) && !agenda.has_impatient();
    const std::size_t options = agenda.ready_count() + (may_end ? 1 : 0);
    const std::size_t chosen = choices.pick(options);
    if (chosen == agenda.ready_count()) break;
    agenda.take(chosen, batch_);
  }
  agenda.defer_rest();
}

// As a timer may be: the kernel wakes nobody early, and many late.
void SimulatedBackend::be_late() {
  if (!simulation_.choices().chance(simulation_.options().late_permille)) return;
  simulation_.now_ += simulation_.choices().between(Nanos{0}, simulation_.options().late_most);
}

// Only the real world could go on: a watched descriptor, or nothing.
void SimulatedBackend::stall() {
  if (!watches_.empty()) return look_at_descriptors(-1);
  simulation_.stalled_ = true;
  loop_.stop();
}

Result<void> SimulatedBackend::watch(FdWatch& watch, int fd, std::uint32_t events) {
  pollfd probe{.fd = fd, .events = 0, .revents = 0};
  int looked;
  do looked = sys::poll(&probe, 1, 0);
  while (looked < 0 && errno == EINTR);
  if (looked < 0) return failure(last_error());
  if (fd < 0 || (probe.revents & POLLNVAL)) return failure(error_from_errno(EBADF));
  if (watch.fd < 0) watches_.push_back(&watch);
  watch.fd = fd;
  watch.interest = events;
  return {};
}

void SimulatedBackend::unwatch(FdWatch& watch) {
  if (watch.fd < 0) return;
  std::erase(watches_, &watch);
  std::erase_if(ready_descriptors_, [&](const Ready& ready) { return ready.watch == &watch; });
  watch.fd = -1;
  watch.interest = 0;
}

// poll's bits are epoll's, as far as an interest can have them.
void SimulatedBackend::look_at_descriptors(int timeout_ms) {
  std::vector<pollfd> polled;
  for (const FdWatch* watch : watches_)
    polled.push_back({.fd = watch->fd, .events = static_cast<short>(watch->interest), .revents = 0});
  int ready;
  do ready = sys::poll(polled.data(), polled.size(), timeout_ms);
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) return;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    const auto events = static_cast<std::uint32_t>(polled[i].revents);
    if (events != 0) ready_descriptors_.push_back({watches_[i], events});
  }
}

void SimulatedBackend::deliver_descriptors(bool last) {
  std::size_t next = 0;
  while (next < ready_descriptors_.size()) {
    const Ready ready = ready_descriptors_[next];
    if (ready.watch->runs_last != last) {
      ++next;
      continue;
    }
    ready_descriptors_.erase(ready_descriptors_.begin() + static_cast<std::ptrdiff_t>(next));
    ready.watch->on_ready(*ready.watch, ready.events);
    next = 0;  // the callback may have taken others out
  }
}

Result<void> SimulatedBackend::connect(Stream& stream, const Address& peer) {
  return simulation_.network_->connect(stream, peer);
}

Result<void> SimulatedBackend::read_start(Stream& stream) {
  SimulatedEnd* end = simulation_.network_->end_of(stream);
  if (!end) return failure(Error::not_supported);
  end->attend_reading();
  return {};
}

// What is scheduled finds nobody reading.
void SimulatedBackend::read_stop(Stream&) {}

void SimulatedBackend::write(Stream& stream) {
  SimulatedEnd* end = simulation_.network_->end_of(stream);
  if (!end) return SimulatedEnd::refuse_writes(stream);
  end->write_queue();
}

Result<void> SimulatedBackend::send(Stream& stream, Bytes first, Bytes second) {
  return stream.send_rest(first, second, stream.send_now(first, second));
}

Result<std::size_t> SimulatedBackend::try_write(Stream& stream, std::span<iovec> buffers) {
  SimulatedEnd* end = simulation_.network_->end_of(stream);
  if (!end) return failure(Error::not_supported);
  return end->send(buffers);
}

Result<void> SimulatedBackend::shutdown(Stream& stream) {
  SimulatedEnd* end = simulation_.network_->end_of(stream);
  if (!end) return failure(Error::not_supported);
  return end->finish_sending();
}

void SimulatedBackend::close(Stream& stream) { simulation_.network_->close(stream); }

Result<void> SimulatedBackend::listen(Listener& listener) {
  simulation_.network_->listen(listener);
  return {};
}

void SimulatedBackend::close(Listener& listener) { simulation_.network_->close(listener); }

}  // namespace refloop
