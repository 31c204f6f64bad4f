// What is going to happen in a simulated world, by time; and, once its time has come, until it is taken.
//
// A part of the simulation, not of its interface: simulation.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference-loop/intrusive_list.h"
#include "reference-loop/time.h"

namespace refloop {

// A source of callbacks, as a descriptor is one for epoll. On the agenda at most once: what else has
// become of it by the time it happens is found then.
class SimulatedEvent : private ListHook<> {
 public:
  // In the poll phase; may schedule itself again.
  virtual void happen() = 0;

 protected:
  SimulatedEvent() = default;
  virtual ~SimulatedEvent() = default;

 private:
  friend class Agenda;
  friend class IntrusiveList<SimulatedEvent>;

  static constexpr std::size_t kNotReady = static_cast<std::size_t>(-1);

  Nanos time_{};
  std::uint64_t sequence_ = 0;  // of its entry among those to come; 0: none
  std::size_t ready_index_ = kNotReady;
  unsigned deferrals_ = 0;
};

class Agenda {
 public:
  // Events that have been deferred `patience` times must be taken.
  explicit Agenda(unsigned patience) : patience_(patience) {}

  using Batch = IntrusiveList<SimulatedEvent>;

  // Not before `time`. Has no effect if the event is ready, in a batch, or due earlier anyhow.
  void schedule(SimulatedEvent& event, Nanos time);
  // The same, and it must be in the first batch from then on.
  void insist(SimulatedEvent& event, Nanos time);
  // It will not happen, wherever it is.
  void withdraw(SimulatedEvent& event);

  // When the next event that is not ready yet becomes so; Nanos::max() if there is none.
  Nanos next_time() const { return coming_.empty() ? Nanos::max() : coming_.front().time; }
  // Makes ready what is due by `now`.
  void advance(Nanos now);
  std::size_t ready_count() const { return ready_.size(); }
  bool has_impatient() const { return impatient_ > 0; }

  // Moves a ready event to the end of the batch.
  void take(std::size_t index, Batch& batch);
  // The rest waits for the next turn.
  void defer_rest();

 private:
  struct Entry {
    Nanos time;
    std::uint64_t sequence;
    SimulatedEvent* event;
  };

  void leave_ready(SimulatedEvent& event);
  static bool later(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }

  const unsigned patience_;
  std::vector<Entry> coming_;  // a heap, earliest first
  std::vector<SimulatedEvent*> ready_;
  std::size_t impatient_ = 0;  // among them
  std::uint64_t last_sequence_ = 0;
};

}  // namespace refloop
