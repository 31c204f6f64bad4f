#include "reference-loop/node_timers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference-loop/node_layer.h"

namespace refloop {

NodeTimers::NodeTimers(NodeLayer& layer) : layer_(layer), timer_(layer.loop()) {
  timer_.make_internal();
  timer_.data = this;
  timer_.unref();
}

Millis NodeTimers::coerce_delay(double delay_ms) {
  constexpr double kDelayMsMax = 2147483647.0;
  if (is_mutant(Mutant::zero_timeout_at_once) && delay_ms < 1.0) return Millis{0};
  if (!(delay_ms >= 1.0 && delay_ms <= kDelayMsMax)) return Millis{1};
  return Millis{static_cast<std::int64_t>(std::trunc(delay_ms))};
}

TimeoutId NodeTimers::add(Task run, double delay_ms, bool repeat, Label label) {
  Timeout& timeout = make(std::move(run), coerce_delay(delay_ms), repeat, label);
  count_reference(+1);
  insert(timeout, read_millis());
  return {timeout.slab_id};
}

Timeout& NodeTimers::make(Task run, Millis duration, bool repeat, Label label) {
  Timeout& timeout = slab_.allocate();
  timeout.run = std::move(run);
  timeout.tag = {0, label};
  timeout.duration = duration;
  timeout.repeat = repeat;
  timeout.referenced = true;
  timeout.kept = timeout.running = timeout.fired = timeout.cleared = false;
  return timeout;
}

Millis NodeTimers::read_millis() {
  layer_.loop().update_time();
  return std::chrono::floor<Millis>(layer_.loop().now());
}

void NodeTimers::insert(Timeout& timeout, Millis start) {
  timeout.unlink();
  timeout.start = start;
  const Millis expiry = start + timeout.duration;
  layer_.loop().trace_schedule(Kind::node_timeout, timeout.tag, expiry);
  DurationList* list = lists_.find(timeout.duration);
  if (!list) {
    list = &lists_.add(timeout.duration, expiry);
    if (expiry < next_expiry_) schedule(expiry);
  }
  list->timeouts.push_back(timeout);
}

void NodeTimers::schedule(Millis expiry) {
  next_expiry_ = expiry;
  (void)timer_.start([](Timer& timer) { static_cast<NodeTimers*>(timer.data)->run_pass(); },
                     expiry - layer_.loop().now());
}

// `now` is that of the pass: what becomes due meanwhile waits for the next turn of the loop.
void NodeTimers::run_pass() {
  const Millis now = read_millis();
  next_expiry_ = Millis::min();  // no insertion needs to schedule: done below, once
  while (!run_lists(now)) {
    if (layer_.has_exited()) return;
  }
  next_expiry_ = Millis::max();
  if (!lists_.empty()) {
    // Not at once, even if it is overdue by now.
    const Millis loop_now = std::chrono::floor<Millis>(layer_.loop().now());
    schedule(std::max(lists_.front().expiry, loop_now + Millis{1}));
  }
  layer_.drain();
}

// False: a timeout failed, or a tick behind it; the rest follows at once, the ticks that are left later.
bool NodeTimers::run_lists(Millis now) {
  bool ran_any = false;
  while (!lists_.empty() && lists_.front().expiry <= now) {
    running_list_ = &lists_.front();
    if (ran_any && !layer_.drain()) return false;
    ran_any = true;
    if (!run_running_list(now)) return false;
  }
  return true;
}

bool NodeTimers::run_running_list(Millis now) {
  bool ran_any = false;
  while (running_list_ && !running_list_->timeouts.empty()) {
    Timeout& head = running_list_->timeouts.front();
    // By the deadlines of all, not list by list.
    if (is_mutant(Mutant::timeouts_by_deadline) && ran_any && now - head.start >= head.duration) {
      lists_.postpone(*std::exchange(running_list_, nullptr), head.start + head.duration);
      return true;
    }
    if (now - head.start < head.duration) {
      // Later than now, so that a list is visited once per pass.
      lists_.postpone(*running_list_, std::max(head.start + head.duration, now + Millis{1}));
      running_list_ = nullptr;
      return true;
    }
    const SlabId chosen = head.slab_id;
    if (ran_any && !layer_.drain()) return false;
    ran_any = true;
    // A tick may have cleared it; one that refreshed it comes too late.
    Timeout* timeout = slab_.find(chosen);
    if (timeout && !timeout->fired && !fire(*timeout)) return false;
  }
  if (running_list_) lists_.remove(*std::exchange(running_list_, nullptr));
  return true;
}

bool NodeTimers::fire(Timeout& timeout) {
  timeout.unlink();
  timeout.running = true;
  const Millis begun = timeout.repeat ? read_millis() : Millis{};
  if (is_mutant(Mutant::interval_rearmed_before_callback) && timeout.repeat) insert(timeout, begun);
  const bool failed = layer_.call(
      Kind::node_timeout, timeout.tag, [&] { timeout.run(); }, timeout.start + timeout.duration);
  if (layer_.has_exited()) return false;
  timeout.running = false;
  if (timeout.cleared) {
    release(timeout);
  } else if (timeout.repeat && !is_mutant(Mutant::interval_rearmed_before_callback)) {
    // From when it began, but behind what its callback has set.
    insert(timeout, begun);
  } else if (!timeout.is_linked()) {  // linked: refreshed inside its own callback
    timeout.fired = true;
    if (timeout.referenced) count_reference(-1);
    if (!timeout.kept) release(timeout);
  }
  if (failed) layer_.route_error();
  return !failed;
}

void NodeTimers::release(Timeout& timeout) {
  if (timeout.referenced && !timeout.fired) count_reference(-1);
  timeout.run = nullptr;
  slab_.free(timeout);
}

void NodeTimers::drop_if_empty(DurationList& list) {
  if (!list.timeouts.empty()) return;
  if (&list == running_list_) running_list_ = nullptr;
  lists_.remove(list);
}

void NodeTimers::clear(TimeoutId id) {
  Timeout* timeout = slab_.find(id.slab_id);
  if (!timeout || timeout->cleared) return;
  if (is_mutant(Mutant::cleared_timeout_fires) && running_list_ && !timeout->running) return;
  timeout->unlink();
  // Only those of referenced timeouts: the next unreferenced one finds its list, and its place in the queue.
  if (timeout->referenced && !timeout->fired) {
    if (DurationList* list = lists_.find(timeout->duration)) drop_if_empty(*list);
  }
  if (timeout->running)
    timeout->cleared = true;  // freed when its callback has returned
  else
    release(*timeout);
}

void NodeTimers::refresh(TimeoutId id) {
  Timeout* timeout = slab_.find(id.slab_id);
  if (!timeout || timeout->cleared) return;
  if (std::exchange(timeout->fired, false) && timeout->referenced) count_reference(+1);
  // Its list keeps the expiry of a head that may have moved: it is visited early once and put back.
  if (is_mutant(Mutant::refresh_keeps_place) && timeout->is_linked()) return;
  insert(*timeout, read_millis());
}

void NodeTimers::keep(TimeoutId id) {
  if (Timeout* timeout = slab_.find(id.slab_id)) timeout->kept = true;
}

void NodeTimers::set_referenced(TimeoutId id, bool referenced) {
  Timeout* timeout = slab_.find(id.slab_id);
  if (!timeout || timeout->referenced == referenced) return;
  timeout->referenced = referenced;
  if (!timeout->fired) count_reference(referenced ? +1 : -1);
}

bool NodeTimers::is_referenced(TimeoutId id) {
  const Timeout* timeout = slab_.find(id.slab_id);
  return timeout && timeout->referenced;
}

void NodeTimers::count_reference(int change) {
  references_ += change;
  if (references_ == 0)
    timer_.unref();
  else if (references_ == change)  // the first
    timer_.ref();
}

}  // namespace refloop
