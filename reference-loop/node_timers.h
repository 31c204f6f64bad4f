// Node's timers: one list per duration, lists ordered by the expiry of their head.
//
// Timeouts of one duration fire in the order of insertion. Between durations the list whose head expires
// first runs first, as a whole: a later timeout of it may precede an earlier one of another list. That is
// Node's order (lib/internal/timers.js), kept on purpose.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>

#include "reference-loop/intrusive_list.h"
#include "reference-loop/loop.h"
#include "reference-loop/slab.h"
#include "reference-loop/task_queue.h"
#include "reference-loop/timer.h"

namespace refloop {

struct Timeout : ListHook<> {
  SlabId slab_id;
  Task run;
  TraceTag tag;
  Nanos start{};
  Nanos duration{};
  bool repeat = false;
  bool referenced = true;
  bool running = false;
  bool cleared = false;
};

class NodeTimers {
 public:
  explicit NodeTimers(Loop& loop);
  ~NodeTimers();

  // NaN, below 1 and above 2^31-1 become 1 ms; a fraction is dropped.
  static Nanos coerce_delay(double delay_ms);

  SlabId add(Task run, double delay_ms, bool repeat, Label label);
  void clear(SlabId id);
  // Starts it anew, behind others of its duration. Nothing, if it has fired (unless inside its callback).
  void refresh(SlabId id);
  void set_referenced(SlabId id, bool referenced);
  bool is_referenced(SlabId id);

 private:
  struct DurationList {
    Nanos duration{};
    Nanos expiry{};  // not later than that of its head
    std::uint64_t sequence = 0;
    IntrusiveList<Timeout> timeouts;
  };
  struct Earlier {
    bool operator()(const DurationList* a, const DurationList* b) const {
      return a->expiry != b->expiry ? a->expiry < b->expiry : a->sequence < b->sequence;
    }
  };

  void insert(Timeout& timeout, Nanos start);
  void release(Timeout& timeout);
  void drop_if_empty(DurationList& list);
  void schedule(Nanos expiry);
  void run_due();
  void run_list(DurationList& list, Nanos now);
  void fire(Timeout& timeout);
  void count_reference(int change);

  Loop& loop_;
  Timer timer_;
  Slab<Timeout> slab_;
  std::unordered_map<std::int64_t, std::unique_ptr<DurationList>> lists_;  // by duration in ns
  std::set<DurationList*, Earlier> queue_;
  DurationList* running_list_ = nullptr;
  std::uint64_t next_sequence_ = 0;
  Nanos next_expiry_ = Nanos::max();
  std::int64_t references_ = 0;
};

}  // namespace refloop
