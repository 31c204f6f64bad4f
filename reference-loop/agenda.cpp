#include "reference-loop/agenda.h"

#include <algorithm>

namespace refloop {

void Agenda::schedule(SimulatedEvent& event, Nanos time) {
  if (event.is_linked() || event.ready_index_ != SimulatedEvent::kNotReady) return;
  if (event.sequence_ != 0) {
    if (event.time_ <= time) return;
    withdraw(event);
  }
  event.time_ = time;
  event.sequence_ = ++last_sequence_;
  coming_.push_back({time, event.sequence_, &event});
  std::ranges::push_heap(coming_, later);
}

void Agenda::insist(SimulatedEvent& event, Nanos time) {
  schedule(event, time);
  if (event.is_linked() || event.deferrals_ >= patience_) return;
  event.deferrals_ = patience_;
  if (event.ready_index_ != SimulatedEvent::kNotReady) ++impatient_;
}

void Agenda::withdraw(SimulatedEvent& event) {
  event.unlink();
  if (event.sequence_ != 0) {
    std::erase_if(coming_, [&](const Entry& entry) { return entry.event == &event; });
    std::ranges::make_heap(coming_, later);
    event.sequence_ = 0;
    event.deferrals_ = 0;
  }
  if (event.ready_index_ != SimulatedEvent::kNotReady) {
    leave_ready(event);
  }
}

void Agenda::advance(Nanos now) {
  while (next_time() <= now) {
    std::ranges::pop_heap(coming_, later);
    SimulatedEvent& event = *coming_.back().event;
    coming_.pop_back();
    event.sequence_ = 0;
    event.ready_index_ = ready_.size();
    ready_.push_back(&event);
    if (event.deferrals_ >= patience_) ++impatient_;
  }
}

// Their order means nothing: whoever takes one picks it.
void Agenda::leave_ready(SimulatedEvent& event) {
  if (event.deferrals_ >= patience_) --impatient_;
  event.deferrals_ = 0;
  ready_.back()->ready_index_ = event.ready_index_;
  std::swap(ready_[event.ready_index_], ready_.back());
  ready_.pop_back();
  event.ready_index_ = SimulatedEvent::kNotReady;
}

void Agenda::take(std::size_t index, Batch& batch) {
  SimulatedEvent& event = *ready_[index];
  leave_ready(event);
  batch.push_back(event);
}

void Agenda::defer_rest() {
  for (SimulatedEvent* event : ready_) {
    if (++event->deferrals_ == patience_) ++impatient_;
  }
}

}  // namespace refloop
