// Node's queues on top of the loop: ticks, microtasks, timeouts, intervals, immediates, in Node's order.
//
// After every callback of the loop (timer, I/O, immediate, close, pool completion) all ticks run, first
// in first out, then all microtasks, and again until both are empty. Inside a tick nothing drains; a tick
// or microtask queued meanwhile runs in the same drain. Immediates run in the check phase, those queued
// by an immediate in the next one. Timeouts: node_timers.h.
//
// One layer per loop, on the loop's thread; destroyed before the loop, outside of its callbacks. Costs the
// loop nothing while no layer exists.
#pragma once

#include <cstdint>

#include "reference-loop/loop.h"
#include "reference-loop/node_timers.h"
#include "reference-loop/slab.h"
#include "reference-loop/task_queue.h"
#include "reference-loop/watcher.h"

namespace refloop {

// May outlive what they name: every call with a stale id is harmless.
struct TimeoutId {
  SlabId slab_id;
};
struct ImmediateId {
  SlabId slab_id;
};

class NodeLayer {
 public:
  explicit NodeLayer(Loop& loop);
  ~NodeLayer();
  NodeLayer(const NodeLayer&) = delete;
  NodeLayer& operator=(const NodeLayer&) = delete;

  Loop& loop() const { return loop_; }

  // Runs `main` now, as Node runs a CommonJS main script, and drains. Then call loop().run().
  void run_main(Task main, Label label = 0);

  void next_tick(Task task, Label label = 0);
  void queue_microtask(Task task, Label label = 0);

  // Delays in milliseconds, coerced as Node does: see NodeTimers::coerce_delay.
  TimeoutId set_timeout(Task task, double delay_ms, Label label = 0);
  TimeoutId set_interval(Task task, double delay_ms, Label label = 0);
  void clear(TimeoutId id) { timers_.clear(id.slab_id); }  // timeout or interval
  void refresh(TimeoutId id) { timers_.refresh(id.slab_id); }
  void ref(TimeoutId id) { timers_.set_referenced(id.slab_id, true); }
  void unref(TimeoutId id) { timers_.set_referenced(id.slab_id, false); }
  bool has_ref(TimeoutId id) { return timers_.is_referenced(id.slab_id); }

  ImmediateId set_immediate(Task task, Label label = 0);
  void clear(ImmediateId id);
  void ref(ImmediateId id) { set_referenced(id, true); }
  void unref(ImmediateId id) { set_referenced(id, false); }

 private:
  struct Immediate : ListHook<> {
    SlabId slab_id;
    Task run;
    TraceTag tag;
    bool referenced = true;
  };

  void drain();
  bool run_one(TaskQueue& queue, Kind kind);
  void run_immediates();
  void set_referenced(ImmediateId id, bool referenced);
  void count_immediate_reference(int change);
  void release(Immediate& immediate);

  Loop& loop_;
  NodeTimers timers_;
  TaskQueue ticks_;
  TaskQueue microtasks_;
  Slab<Immediate> immediate_slab_;
  IntrusiveList<Immediate> immediates_;
  std::int64_t immediate_references_ = 0;
  Check check_;
  Idle idle_;  // active while a referenced immediate waits, so that poll does not
};

}  // namespace refloop
