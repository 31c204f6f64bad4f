#include "reference-loop/node_timers.h"

#include <cmath>

namespace refloop {

NodeTimers::NodeTimers(Loop& loop) : loop_(loop), timer_(loop) {
  timer_.make_internal();
  timer_.data = this;
  timer_.unref();
}

NodeTimers::~NodeTimers() = default;

Nanos NodeTimers::coerce_delay(double delay_ms) {
  constexpr double kDelayMsMax = 2147483647.0;
  if (!(delay_ms >= 1.0 && delay_ms <= kDelayMsMax)) return std::chrono::milliseconds(1);
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::trunc(delay_ms)));
}

SlabId NodeTimers::add(Task run, double delay_ms, bool repeat, Label label) {
  Timeout& timeout = slab_.allocate();
  timeout.run = std::move(run);
  timeout.tag = {0, label};
  timeout.duration = coerce_delay(delay_ms);
  timeout.repeat = repeat;
  timeout.referenced = true;
  timeout.running = timeout.cleared = false;
  count_reference(+1);
  // Unlike Timer::start, from a refreshed clock: time spent in this callback does not shorten the delay.
  loop_.update_time();
  insert(timeout, loop_.now());
  return timeout.slab_id;
}

void NodeTimers::insert(Timeout& timeout, Nanos start) {
  timeout.start = start;
  const Nanos expiry = start + timeout.duration;
  loop_.trace_schedule(Kind::node_timeout, timeout.tag, expiry);
  auto& list = lists_[timeout.duration.count()];
  if (!list) {
    list = std::make_unique<DurationList>();
    list->duration = timeout.duration;
    list->expiry = expiry;
    list->sequence = next_sequence_++;
    queue_.insert(list.get());
    if (expiry < next_expiry_) schedule(expiry);
  }
  list->timeouts.push_back(timeout);
}

void NodeTimers::schedule(Nanos expiry) {
  next_expiry_ = expiry;
  (void)timer_.start([](Timer& timer) { static_cast<NodeTimers*>(timer.data)->run_due(); },
                     expiry - loop_.now());
}

// `now` is that of the pass: what becomes due meanwhile waits for the next turn of the loop.
void NodeTimers::run_due() {
  const Nanos now = loop_.now();
  next_expiry_ = Nanos::min();  // no insertion needs to schedule: done below, once
  while (!queue_.empty() && (*queue_.begin())->expiry <= now) run_list(**queue_.begin(), now);
  next_expiry_ = Nanos::max();
  if (!queue_.empty()) schedule((*queue_.begin())->expiry);
}

void NodeTimers::run_list(DurationList& list, Nanos now) {
  running_list_ = &list;
  while (!list.timeouts.empty()) {
    Timeout& timeout = list.timeouts.front();
    if (now - timeout.start < list.duration) {
      auto node = queue_.extract(&list);
      // At least one later than now, so that a list is visited once per pass.
      list.expiry = std::max(timeout.start + list.duration, now + Nanos{1});
      list.sequence = next_sequence_++;
      queue_.insert(std::move(node));
      running_list_ = nullptr;
      return;
    }
    list.timeouts.pop_front();
    fire(timeout);
  }
  running_list_ = nullptr;
  drop_if_empty(list);
}

// An interval starts anew when its callback began, and queues when it has ended: the period excludes
// the callback, and a timeout of the same duration made inside it comes first.
void NodeTimers::fire(Timeout& timeout) {
  timeout.running = true;
  const Nanos due = timeout.start + timeout.duration;
  if (timeout.repeat) loop_.update_time();
  const Nanos begun = loop_.now();
  loop_.invoke(
      Kind::node_timeout, timeout.tag,
      [&] {
        timeout.run();
        timeout.running = false;
        if (timeout.cleared) return release(timeout);
        if (timeout.repeat && !timeout.is_linked()) return insert(timeout, begun);
        if (!timeout.is_linked()) release(timeout);  // linked: refreshed inside its own callback
      },
      due);
}

void NodeTimers::release(Timeout& timeout) {
  if (timeout.referenced) count_reference(-1);
  timeout.run = nullptr;
  slab_.free(timeout);
}

void NodeTimers::drop_if_empty(DurationList& list) {
  if (!list.timeouts.empty() || &list == running_list_) return;
  queue_.erase(&list);
  lists_.erase(list.duration.count());
}

void NodeTimers::clear(SlabId id) {
  Timeout* timeout = slab_.find(id);
  if (!timeout || timeout->cleared) return;
  const bool was_queued = timeout->is_linked();
  timeout->unlink();
  if (was_queued) drop_if_empty(*lists_.at(timeout->duration.count()));
  if (timeout->running)
    timeout->cleared = true;  // freed when its callback has returned
  else
    release(*timeout);
}

void NodeTimers::refresh(SlabId id) {
  Timeout* timeout = slab_.find(id);
  if (!timeout || timeout->cleared) return;
  timeout->unlink();
  loop_.update_time();
  // Its list keeps the expiry of a head that may have moved: it is visited early once and put back.
  insert(*timeout, loop_.now());
}

void NodeTimers::set_referenced(SlabId id, bool referenced) {
  Timeout* timeout = slab_.find(id);
  if (!timeout || timeout->referenced == referenced) return;
  timeout->referenced = referenced;
  count_reference(referenced ? +1 : -1);
}

bool NodeTimers::is_referenced(SlabId id) {
  const Timeout* timeout = slab_.find(id);
  return timeout && timeout->referenced;
}

void NodeTimers::count_reference(int change) {
  references_ += change;
  if (references_ > 0)
    timer_.ref();
  else
    timer_.unref();
}

}  // namespace refloop
