#include "reference-loop/node_layer.h"

#include "reference-loop/pool.h"

namespace refloop {

NodeLayer::NodeLayer(Loop& loop, NodeVersion version)
    : loop_(loop),
      version_(version),
      promises_(*this),
      rejections_(*this),
      timers_(*this),
      immediates_(*this) {
  loop.set_drain_hook([](void* self) { static_cast<NodeLayer*>(self)->after_callback(); }, this);
}

NodeLayer::~NodeLayer() {
  loop_.set_drain_hook(nullptr, nullptr);
  events = {};  // may hold promises
  promises_.forget();
}

void NodeLayer::next_tick(Task task, Label label) {
  if (exiting_) return;
  if (is_mutant(Mutant::nested_ticks_wait) && draining_) {
    immediates_.add(std::move(task), label);
    return;
  }
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::tick, tag);
  ticks_.push({std::move(task), tag, Kind::tick});
}

void NodeLayer::queue_microtask(Task task, Label label) {
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::microtask, tag);
  microtasks_.push({std::move(task), tag, Kind::microtask});
}

void NodeLayer::run_main(Task main, Label label, MainKind kind) {
  TraceTag tag{0, label};
  loop_.trace_schedule(Kind::main, tag);
  if (kind == MainKind::script) {
    if (call(Kind::main, tag, main)) route_error();
    drain();
    return;
  }
  if (!loads_modules_in_poll(version_)) {
    queue_module(std::move(main), tag);
    drain();
    return;
  }
  loop_.pool().submit(
      [] {}, [this, tag, main = std::move(main)](Error) mutable { queue_module(std::move(main), tag); });
}

// A module's main runs inside a promise job, and its error travels up the loader's promises.
void NodeLayer::queue_module(Task main, TraceTag tag) {
  queue_job([this, tag, main = std::move(main)]() mutable {
    if (call(Kind::main, tag, main)) fail_module(module_error_jobs(version_), take_error());
  });
}

void NodeLayer::fail_module(int jobs, Value error) {
  queue_job([this, jobs, error = std::move(error)]() mutable {
    if (jobs > 1) return fail_module(jobs - 1, std::move(error));
    throw_error(std::move(error));
    route_error(ErrorOrigin::rejection);
  });
}

int NodeLayer::run(Task main, Label label, MainKind kind) {
  run_main(std::move(main), label, kind);
  bool alive = true;
  while (alive) {
    alive = loop_.run();
    if (exited_) return exit_code();
    if (alive) continue;
    if (events.before_exit) {
      if (emit(events.before_exit, exit_code()))
        route_error();
      else if (is_mutant(Mutant::ticks_lost_at_the_end))
        ticks_ = {};
      else
        drain();
    }
    if (exited_) break;
    alive = loop_.alive();
  }
  if (!exited_) leave();
  loop_.run();  // takes back the halt
  return exit_code();
}

// Hook of the loop: a callback of its own has returned.
void NodeLayer::after_callback() {
  if (failed_) [[unlikely]]
    return route_error();
  drain_now();
}

bool NodeLayer::drain() {
  if (is_mutant(Mutant::drain_once_per_phase)) return !exited_;
  return drain_now();
}

// False: cut short by a failed tick (reported by now) or the end; what is left runs in the next drain.
bool NodeLayer::drain_now() {
  if (ticks_.empty() && microtasks_.empty() && !rejections_.has_work()) return !exited_;
  if (draining_ || exited_) return !exited_;
  draining_ = true;
  const bool complete = drain_queues();
  draining_ = false;
  return complete;
}

bool NodeLayer::drain_queues() {
  do {
    if (is_mutant(Mutant::rejections_before_the_drain) && !rejections_.report()) return false;
    if (is_mutant(Mutant::microtasks_before_ticks)) run_microtasks();
    if (!run_ticks()) return false;
    run_microtasks();
    if (exited_) return false;
    if (!ticks_.empty()) continue;
    if (!rejections_.has_work()) return true;
    if (!rejections_.report()) return false;
    if (is_mutant(Mutant::rejection_reports_not_drained)) return true;
  } while (true);
}

bool NodeLayer::run_ticks() {
  while (!ticks_.empty()) {
    QueuedTask tick = ticks_.pop();
    const bool failed = call(Kind::tick, tick.tag, tick.run);
    if (exited_) [[unlikely]]
      return false;
    if (failed) [[unlikely]] {
      route_error();
      return false;
    }
    if (is_mutant(Mutant::ticks_alternate_with_microtasks)) break;
  }
  return true;
}

void NodeLayer::run_microtasks() {
  while (!microtasks_.empty() && !exited_) {
    QueuedTask microtask = microtasks_.pop();
    if (call(microtask.kind, microtask.tag, microtask.run)) [[unlikely]]
      route_error();
  }
}

void NodeLayer::throw_error(Value error) {
  assert(!failed_ && "one error per callback: return after throw_error()");
  failed_ = true;
  error_ = std::move(error);
}

// The callback that failed has returned, and what it leaves behind is in order.
void NodeLayer::route_error(ErrorOrigin origin) {
  const Value error = take_error();
  if (exited_) return;
  if (!events.uncaught_exception) return die();
  if (emit(events.uncaught_exception, error, origin)) {
    take_failure();
    exit_code_ = 7;
    exiting_ = true;
    return finish();
  }
  if (!exited_) immediates_.add_empty();  // the ticks that were left over get a turn of the loop
}

// An error that nobody handles. Failing in 'exit' keeps the code that was set.
void NodeLayer::die() {
  if (!exiting_) {
    exiting_ = true;
    exit_code_ = 1;
    if (events.exit && emit(events.exit, 1)) take_failure();
  }
  exit_code_ = exit_code_.value_or(1);
  finish();
}

void NodeLayer::exit(std::optional<int> code) {
  if (exited_) return;
  if (code) exit_code_ = code;
  if (!exiting_) {
    exiting_ = true;
    if (events.exit && emit(events.exit, exit_code()) && !exited_) return route_error();
  }
  finish();
}

// The loop has nothing left to do.
void NodeLayer::leave() {
  exiting_ = true;
  if (events.exit) {
    if (emit(events.exit, exit_code()))
      route_error();
    else
      drain();
  }
  finish();
}

void NodeLayer::finish() {
  if (exited_) return;
  exited_ = true;
  timers_.stop();
  immediates_.stop();
  loop_.halt();
}

}  // namespace refloop
