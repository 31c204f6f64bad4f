// Node's timers: one list per duration, lists ordered by the expiry of their head.
//
// Timeouts of one duration fire in the order of insertion. Between durations the list whose head expires
// first runs first, as a whole: a later timeout of it may precede an earlier one of another list. That is
// Node's order, kept on purpose, down to whole milliseconds: the clock is the loop's without its fraction,
// so that a timeout may be up to 1 ms early by a finer clock, never by this one.
//
// One pass (the timers phase) fires what is due at its beginning: a timeout set by a timeout, even if it is
// overdue, waits for the next turn of the loop. A failed timeout does not keep the others of the pass from
// firing. Cleared by an earlier one or its tick, a timeout does not fire. refresh() by an earlier one
// postpones it; by the tick just before it, it does not (Node's, too).
#pragma once

#include <cstdint>

#include "reference-loop/node_timer_lists.h"
#include "reference-loop/slab.h"
#include "reference-loop/task_queue.h"
#include "reference-loop/timer.h"

namespace refloop {

class NodeLayer;

// May outlive what it names: every call with a stale id is harmless.
struct TimeoutId {
  SlabId slab_id;
};

struct Timeout : ListHook<> {
  SlabId slab_id;
  Task run;
  TraceTag tag;
  Millis start{};
  Millis duration{};
  bool repeat = false;
  bool referenced = true;
  bool kept = false;
  bool running = false;
  bool fired = false;    // over, unless refreshed; only a kept one lives on
  bool cleared = false;  // within its own callback
};

class NodeTimers {
 public:
  explicit NodeTimers(NodeLayer& layer);

  // NaN, below 1 and above 2^31-1 become 1 ms; a fraction is dropped.
  static Millis coerce_delay(double delay_ms);

  // Counts from a refreshed clock, unlike Timer::start(): time spent in this callback does not shorten it.
  TimeoutId add(Task run, double delay_ms, bool repeat, Label label);
  // An interval re-arms after its callback, from when that began. Cleared within it, it is over.
  void clear(TimeoutId id);
  // Starts it anew, behind others of its duration. Of one that has fired (and is not kept): nothing.
  void refresh(TimeoutId id);
  // Its memory stays after it has fired, for refresh(), until clear(): in Node the garbage collector knows.
  void keep(TimeoutId id);
  void set_referenced(TimeoutId id, bool referenced);
  bool is_referenced(TimeoutId id);

  void stop() { timer_.stop(); }

 private:
  Timeout& make(Task run, Millis duration, bool repeat, Label label);
  Millis read_millis();
  void insert(Timeout& timeout, Millis start);
  void release(Timeout& timeout);
  void drop_if_empty(DurationList& list);
  void schedule(Millis expiry);
  void run_pass();
  bool run_lists(Millis now);
  bool run_running_list(Millis now);
  bool fire(Timeout& timeout);
  void count_reference(int change);

  NodeLayer& layer_;
  Timer timer_;
  Slab<Timeout> slab_;
  TimerLists lists_;
  DurationList* running_list_ = nullptr;  // none once its last timeout was cleared
  Millis next_expiry_ = Millis::max();
  std::int64_t references_ = 0;
};

}  // namespace refloop
