#include "reference-loop/node_layer.h"

namespace refloop {

NodeLayer::NodeLayer(Loop& loop) : loop_(loop), timers_(loop), check_(loop), idle_(loop) {
  check_.make_internal();
  check_.data = this;
  check_.unref();
  idle_.make_internal();
  (void)check_.start([](Watcher& check) { static_cast<NodeLayer*>(check.data)->run_immediates(); });
  loop.set_drain_hook([](void* self) { static_cast<NodeLayer*>(self)->drain(); }, this);
}

NodeLayer::~NodeLayer() { loop_.set_drain_hook(nullptr, nullptr); }

void NodeLayer::run_main(Task main, Label label) {
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::main, tag);
  loop_.invoke(Kind::main, tag, main);
}

void NodeLayer::next_tick(Task task, Label label) {
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::tick, tag);
  ticks_.push({std::move(task), tag});
}

void NodeLayer::queue_microtask(Task task, Label label) {
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::microtask, tag);
  microtasks_.push({std::move(task), tag});
}

bool NodeLayer::run_one(TaskQueue& queue, Kind kind) {
  if (queue.empty()) return false;
  QueuedTask task = queue.pop();
  loop_.invoke(kind, task.tag, task.run);
  return true;
}

void NodeLayer::drain() {
  const bool swapped = is_mutant(Mutant::microtasks_before_ticks);
  TaskQueue& first = swapped ? microtasks_ : ticks_;
  TaskQueue& second = swapped ? ticks_ : microtasks_;
  const Kind first_kind = swapped ? Kind::microtask : Kind::tick;
  const Kind second_kind = swapped ? Kind::tick : Kind::microtask;
  do {
    while (run_one(first, first_kind)) {
    }
    while (run_one(second, second_kind)) {
    }
  } while (!first.empty());
}

TimeoutId NodeLayer::set_timeout(Task task, double delay_ms, Label label) {
  return {timers_.add(std::move(task), delay_ms, false, label)};
}

TimeoutId NodeLayer::set_interval(Task task, double delay_ms, Label label) {
  return {timers_.add(std::move(task), delay_ms, true, label)};
}

ImmediateId NodeLayer::set_immediate(Task task, Label label) {
  Immediate& immediate = immediate_slab_.allocate();
  immediate.run = std::move(task);
  immediate.tag = {0, label};
  immediate.referenced = true;
  loop_.trace_schedule(Kind::node_immediate, immediate.tag);
  if constexpr (is_mutant(Mutant::immediates_lifo))
    immediates_.push_front(immediate);
  else
    immediates_.push_back(immediate);
  count_immediate_reference(+1);
  return {immediate.slab_id};
}

void NodeLayer::clear(ImmediateId id) {
  Immediate* immediate = immediate_slab_.find(id.slab_id);
  if (!immediate) return;
  immediate->unlink();
  release(*immediate);
}

void NodeLayer::release(Immediate& immediate) {
  if (immediate.referenced) count_immediate_reference(-1);
  immediate.run = nullptr;
  immediate_slab_.free(immediate);
}

void NodeLayer::set_referenced(ImmediateId id, bool referenced) {
  Immediate* immediate = immediate_slab_.find(id.slab_id);
  if (!immediate || immediate->referenced == referenced) return;
  immediate->referenced = referenced;
  count_immediate_reference(referenced ? +1 : -1);
}

void NodeLayer::count_immediate_reference(int change) {
  immediate_references_ += change;
  if (immediate_references_ > 0)
    (void)idle_.start([](Watcher&) {});
  else
    idle_.stop();
}

// The snapshot: an immediate set by one of these, or by their ticks, waits for the next check phase.
void NodeLayer::run_immediates() {
  IntrusiveList<Immediate> snapshot;
  snapshot.splice_back(immediates_);
  while (!snapshot.empty()) {
    Immediate& immediate = snapshot.pop_front();
    QueuedTask task{std::move(immediate.run), immediate.tag};
    release(immediate);
    loop_.invoke(Kind::node_immediate, task.tag, task.run);
    if constexpr (is_mutant(Mutant::immediates_in_same_pass)) snapshot.splice_back(immediates_);
  }
}

}  // namespace refloop
