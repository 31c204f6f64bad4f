// Node's queues on top of the loop: ticks, microtasks, promises, timeouts, intervals, immediates, errors
// and the end of the process, in the order of Node 22 (others: node_version.h).
//
//   refloop::NodeLayer node(*loop);
//   return node.run([&] {
//     node.set_timeout([] { puts("third"); }, 1);
//     node.queue_microtask([] { puts("second"); });
//     node.next_tick([] { puts("first"); });
//   });
//
// Order, guaranteed:
//   drain       After every callback of the loop (I/O, pool completion, close callback), between two
//               timeouts, between two immediates and after main: all ticks, first in first out, then all
//               microtasks, again until both are empty; then what rejections.h reports, and again. What is
//               queued meanwhile runs in the same drain. In a module main is itself a microtask, so that
//               microtasks precede the ticks it queued.
//   microtasks  queue_microtask() and the jobs of promises (node_promise.h) share one queue.
//   timeouts    node_timers.h.   immediates  node_immediates.h.
//   errors      A callback fails by throw_error(); then 'uncaughtException' runs in its place and the rest
//               goes on, with these oddities of Node kept: a failed timeout, immediate, I/O or close callback
//               is not followed by a drain, so that the next callback precedes the ticks the failed one
//               queued; a failed tick ends its drain, and the ticks behind it run in the next (for main,
//               and for I/O if nothing else comes: at the start of the check phase). A failed microtask
//               defers nothing, a failed reaction of a promise rejects the derived promise, a failed main is
//               drained. An error nobody handles ends the process: 'exit', code 1. A failing
//               'uncaughtException' handler ends it at once, without 'exit', code 7.
//   the end     The loop is empty: 'beforeExit', again whenever the loop ran meanwhile; then 'exit'. Ticks
//               are refused from there; microtasks queued by 'exit' run (Node: the same), unless exit() was
//               called, after which nothing does.
//
// Refused: an order between timeouts and immediates set in main, unless the timeout is proven to be overdue
// before the loop starts; anything between callbacks that the loop does not order.
//
// throw_error() does not unwind: return right after it. No C++ exception passes the layer. Where Node, by a
// bug of its own, would call handlers for ever (an 'uncaughtException' handler that clears the immediate
// behind the failed one), the layer just clears it. An unsettled `await` in a module's main is not known to
// the layer: it ends with code 0 where Node ends with 13.
//
// One layer per loop, on the loop's thread; destroyed before the loop, after its promises, outside of its
// callbacks. Costs the loop nothing while no layer exists. Queueing allocates only what a callable's own
// captures need, once the queues have grown to their working size.
#pragma once

#include <cstdint>
#include <optional>

#include "reference-loop/loop.h"
#include "reference-loop/node_events.h"
#include "reference-loop/node_immediates.h"
#include "reference-loop/node_promise.h"
#include "reference-loop/node_rejections.h"
#include "reference-loop/node_timers.h"
#include "reference-loop/node_version.h"
#include "reference-loop/task_queue.h"

namespace refloop {

enum class MainKind : std::uint8_t { script, module };  // CommonJS, ECMAScript module

class NodeLayer {
 public:
  explicit NodeLayer(Loop& loop, NodeVersion version = NodeVersion::node22);
  ~NodeLayer();
  NodeLayer(const NodeLayer&) = delete;
  NodeLayer& operator=(const NodeLayer&) = delete;

  Loop& loop() const { return loop_; }
  NodeVersion version() const { return version_; }

  // A process: main, the loop until it is empty, 'beforeExit', 'exit'. Returns the exit code. Loop::stop()
  // only ends a turn of it; leave with exit(). Handles still open then are the caller's to close.
  int run(Task main, Label label = 0, MainKind kind = MainKind::script);
  // Only main, and its drain. Then call loop().run().
  void run_main(Task main, Label label = 0, MainKind kind = MainKind::script);

  NodeEvents events;

  // Fails the callback that is running, which must return at once. Once per callback.
  void throw_error(Value error);

  // 'exit', now, and then no callback of the loop or the layer runs any more, not even those of this phase:
  // what they had to tell is lost. The caller of this must return. Without a code: that of set_exit_code().
  void exit(std::optional<int> code = std::nullopt);
  void set_exit_code(int code) { exit_code_ = code; }
  int exit_code() const { return exit_code_.value_or(0); }
  // From 'exit' on.
  bool is_exiting() const { return exiting_; }

  void next_tick(Task task, Label label = 0);
  void queue_microtask(Task task, Label label = 0);

  // Delays in milliseconds, coerced as Node does: see NodeTimers::coerce_delay. Stale ids are harmless.
  TimeoutId set_timeout(Task task, double delay_ms, Label label = 0) {
    return timers_.add(std::move(task), delay_ms, false, label);
  }
  TimeoutId set_interval(Task task, double delay_ms, Label label = 0) {
    return timers_.add(std::move(task), delay_ms, true, label);
  }
  void clear(TimeoutId id) { timers_.clear(id); }  // timeout or interval
  void refresh(TimeoutId id) { timers_.refresh(id); }
  void keep(TimeoutId id) { timers_.keep(id); }
  void ref(TimeoutId id) { timers_.set_referenced(id, true); }
  void unref(TimeoutId id) { timers_.set_referenced(id, false); }
  bool has_ref(TimeoutId id) { return timers_.is_referenced(id); }

  ImmediateId set_immediate(Task task, Label label = 0) { return immediates_.add(std::move(task), label); }
  void clear(ImmediateId id) { immediates_.clear(id); }
  void ref(ImmediateId id) { immediates_.set_referenced(id, true); }
  void unref(ImmediateId id) { immediates_.set_referenced(id, false); }
  bool has_ref(ImmediateId id) { return immediates_.is_referenced(id); }

 private:
  friend class NodeImmediates;
  friend class NodeRejections;
  friend class NodeTimers;
  friend class Promise;
  friend class PromiseJobs;
  friend class AsyncFunction;

  // One callback of the layer, traced; no drain follows. True: it failed.
  template <typename Callback>
  bool call(Kind kind, const TraceTag& tag, Callback&& callback, Nanos due = kNoDue) {
    loop_.trace_callback(kind, tag, callback, due);
    return failed_;
  }
  // The same for a handler of an event.
  template <typename Handler, typename... Arguments>
  bool emit(Handler& handler, const Arguments&... arguments) {
    handler(arguments...);
    return failed_;
  }

  void after_callback();
  bool drain();
  bool drain_now();
  bool drain_queues();
  bool run_ticks();
  void run_microtasks();
  void queue_job(Task job) { microtasks_.push({std::move(job), {}, Kind::none}); }

  bool take_failure() { return std::exchange(failed_, false); }
  Value take_error() {
    failed_ = false;
    return std::move(error_);
  }
  void route_error(ErrorOrigin origin = ErrorOrigin::exception);
  void die();
  void finish();
  void leave();
  bool has_exited() const { return exited_; }

  void queue_module(Task main, TraceTag tag);
  void fail_module(int jobs, Value error);

  Loop& loop_;
  const NodeVersion version_;
  bool draining_ = false;
  bool failed_ = false;
  bool exiting_ = false;  // 'exit' was emitted
  bool exited_ = false;   // nothing runs any more
  std::optional<int> exit_code_;
  Value error_;
  PromiseJobs promises_;
  NodeRejections rejections_;
  TaskQueue ticks_;
  TaskQueue microtasks_;
  NodeTimers timers_;
  NodeImmediates immediates_;
};

}  // namespace refloop
