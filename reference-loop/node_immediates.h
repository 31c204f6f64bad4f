// Node's immediates: run in the check phase, first in first out, each followed by a drain.
//
// One check phase runs exactly those set before it; one set by an immediate, or by its ticks, waits for the
// next. (One exception, Node's: if the last of a phase fails, those set meanwhile run in the same phase.) A
// cleared one does not run, also if an earlier one of the phase or its tick clears it. A waiting referenced
// immediate keeps the loop alive and poll from waiting; an unreferenced one runs, in its place, if the loop
// is alive anyway.
#pragma once

#include <cstdint>

#include "reference-loop/intrusive_list.h"
#include "reference-loop/slab.h"
#include "reference-loop/task_queue.h"
#include "reference-loop/watcher.h"

namespace refloop {

class NodeLayer;

// May outlive what it names: every call with a stale id is harmless.
struct ImmediateId {
  SlabId slab_id;
};

class NodeImmediates {
 public:
  explicit NodeImmediates(NodeLayer& layer);

  ImmediateId add(Task run, Label label);
  // One that does nothing, so that the next turn has a check phase and its drains.
  void add_empty();
  void clear(ImmediateId id);
  void set_referenced(ImmediateId id, bool referenced);
  bool is_referenced(ImmediateId id);

  void stop();

 private:
  struct Immediate : ListHook<> {
    SlabId slab_id;
    Task run;
    TraceTag tag;
    Kind kind = Kind::node_immediate;
    bool referenced = true;
  };

  Immediate& make(Task run, Kind kind);
  void append(Immediate& immediate);
  void run_phase();
  bool run_queue();
  void lose_outstanding();
  void hold_loop();
  void release(Immediate& immediate);

  NodeLayer& layer_;
  Slab<Immediate> slab_;
  IntrusiveList<Immediate> queue_;
  IntrusiveList<Immediate> outstanding_;  // of the phase that runs
  bool phase_failed_ = false;
  std::int64_t references_ = 0;
  Check check_;
  Idle idle_;  // active while a referenced immediate waits, so that poll does not
};

}  // namespace refloop
