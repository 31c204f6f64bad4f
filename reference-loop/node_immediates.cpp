#include "reference-loop/node_immediates.h"

#include "reference-loop/node_layer.h"

namespace refloop {

NodeImmediates::NodeImmediates(NodeLayer& layer) : layer_(layer), check_(layer.loop()), idle_(layer.loop()) {
  check_.make_internal();
  check_.data = this;
  check_.unref();
  idle_.make_internal();
  (void)check_.start([](Watcher& check) { static_cast<NodeImmediates*>(check.data)->run_phase(); });
}

NodeImmediates::Immediate& NodeImmediates::make(Task run, Kind kind) {
  Immediate& immediate = slab_.allocate();
  immediate.run = std::move(run);
  immediate.kind = kind;
  immediate.referenced = true;
  return immediate;
}

ImmediateId NodeImmediates::add(Task run, Label label) {
  Immediate& immediate = make(std::move(run), Kind::node_immediate);
  immediate.tag = {0, label};
  layer_.loop().trace_schedule(Kind::node_immediate, immediate.tag);
  append(immediate);
  return {immediate.slab_id};
}

void NodeImmediates::add_empty() {
  append(make([] {}, Kind::none));
}

void NodeImmediates::append(Immediate& immediate) {
  if (is_mutant(Mutant::immediates_lifo))
    queue_.push_front(immediate);
  else
    queue_.push_back(immediate);
  if (references_++ == 0) hold_loop();
}

// At the end of a phase, too: a chain of immediates neither starts nor stops it.
void NodeImmediates::hold_loop() {
  if (references_ > 0)
    (void)idle_.start([](Watcher&) {});
  else
    idle_.stop();
}

void NodeImmediates::release(Immediate& immediate) {
  if (immediate.referenced) --references_;
  immediate.run = nullptr;
  slab_.free(immediate);
}

void NodeImmediates::clear(ImmediateId id) {
  Immediate* immediate = slab_.find(id.slab_id);
  if (!immediate || (is_mutant(Mutant::cleared_immediate_runs) && !outstanding_.empty())) return;
  immediate->unlink();
  release(*immediate);
  hold_loop();
}

void NodeImmediates::set_referenced(ImmediateId id, bool referenced) {
  Immediate* immediate = slab_.find(id.slab_id);
  if (!immediate || immediate->referenced == referenced) return;
  immediate->referenced = referenced;
  references_ += referenced ? +1 : -1;
  hold_loop();
}

bool NodeImmediates::is_referenced(ImmediateId id) {
  const Immediate* immediate = slab_.find(id.slab_id);
  return immediate && immediate->referenced;
}

// A failed immediate ends run_queue(); the rest of its phase follows, before the ticks it queued.
void NodeImmediates::run_phase() {
  if (drains_before_immediates(layer_.version())) layer_.drain();
  if (queue_.empty()) return;
  do {
    if (run_queue() && !is_mutant(Mutant::last_immediate_not_drained)) layer_.drain();
    if (is_mutant(Mutant::failed_immediate_loses_the_rest) && phase_failed_) lose_outstanding();
  } while (phase_failed_ && !layer_.has_exited());
  if (!layer_.has_exited()) hold_loop();
}

// Of a mutant.
void NodeImmediates::lose_outstanding() {
  while (!outstanding_.empty()) release(outstanding_.pop_front());
  phase_failed_ = false;
}

// False: one failed, or a tick behind it.
bool NodeImmediates::run_queue() {
  if (outstanding_.empty()) outstanding_.splice_back(queue_);
  phase_failed_ = true;  // until the end is reached
  bool ran_any = false;
  while (!outstanding_.empty()) {
    if (ran_any && !layer_.drain()) return false;
    if (outstanding_.empty()) break;  // cleared by a tick
    ran_any = true;
    Immediate& immediate = outstanding_.pop_front();
    QueuedTask task{std::move(immediate.run), immediate.tag, immediate.kind};
    release(immediate);
    const bool failed = layer_.call(task.kind, task.tag, task.run);
    if (layer_.has_exited()) return false;
    if (failed) {
      layer_.route_error();
      return false;
    }
    if (is_mutant(Mutant::immediates_in_same_pass)) outstanding_.splice_back(queue_);
    if (is_mutant(Mutant::one_immediate_per_turn)) {
      outstanding_.splice_back(queue_);
      queue_.splice_back(outstanding_);
    }
  }
  phase_failed_ = false;
  return true;
}

void NodeImmediates::stop() {
  check_.stop();
  idle_.stop();
}

}  // namespace refloop
