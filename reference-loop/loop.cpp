#include "reference-loop/loop.h"

#include "reference-loop/async.h"
#include "reference-loop/backend.h"
#include "reference-loop/limits.h"
#include "reference-loop/pool.h"
#include "reference-loop/signal_hub.h"
#include "reference-loop/simulation.h"
#include "reference-loop/watcher.h"

namespace refloop {
namespace {

// Completions created by completions must not starve the phases behind them.
const int kExtraPendingRounds = is_mutant(Mutant::pending_rounds_unbounded)  ? 1'000'000
                                : is_mutant(Mutant::completions_wait_a_turn) ? 0
                                                                             : 8;

// Of one mutant.
[[maybe_unused]] bool alive_before_timers = true;

}  // namespace

Loop::Loop(LoopOptions options) : options_(options) {
  if (options.backend == BackendKind::simulated) {
    if (!options.simulation) own_simulation_ = std::make_unique<Simulation>();
    simulation_ = options.simulation ? options.simulation : own_simulation_.get();
    virtual_now_ = &simulation_->now_;
  }
  now_ = read_clock();
}

Result<std::unique_ptr<Loop>> Loop::create(LoopOptions options) {
  if (options.pool_size < 1 || options.pool_size > 1024) return failure(Error::bad_state);
  std::unique_ptr<Loop> loop(new Loop(options));
  if (!loop->read_buffer_.allocate(kReadBufferBytes)) return failure(Error::no_memory);
  Error error = loop->make_backend();
  if (error != Error::none) return failure(error);
  loop->waker_ = Waker::create(*loop, error);
  if (!loop->waker_) return failure(error);
  loop->pool_ = std::make_unique<Pool>(*loop, options.pool_size);
  if (loop->simulation_) loop->simulation_->attach_pool(*loop->pool_, options.pool_size);
  return loop;
}

Error Loop::make_backend() {
  Error error = Error::none;
  switch (options_.backend) {
    case BackendKind::simulated:
      backend_ = make_simulated_backend(*this);
      break;
    case BackendKind::io_uring:
      backend_ = make_io_uring_backend(*this, error);
      break;
    case BackendKind::automatic:
      options_.backend = BackendKind::io_uring;
      backend_ = make_io_uring_backend(*this, error);
      if (backend_) break;
      [[fallthrough]];
    case BackendKind::epoll:
      options_.backend = BackendKind::epoll;
      backend_ = make_epoll_backend(*this, error);
  }
  return backend_ ? Error::none : error;
}

Loop::~Loop() {
  assert(!running_ && "destroyed inside a callback");
  assert(closing_.empty() && "destroyed before its close callbacks ran: call run() once more");
  if (simulation_) simulation_->detach();
  pool_.reset();
  signals_.reset();
  waker_.reset();
}

bool Loop::alive() const {
  if (is_mutant(Mutant::requests_do_not_keep_alive)) return active_handles_ > 0 || !closing_.empty();
  if (is_mutant(Mutant::closing_does_not_keep_alive))
    return active_handles_ > 0 || active_requests_ > 0 || !pending_.empty();
  return active_handles_ > 0 || active_requests_ > 0 || !pending_.empty() || !closing_.empty();
}

bool Loop::run(RunMode mode) {
  assert(!running_ && "run() is not re-entrant");
  running_ = true;
  bool is_alive = alive();
  if (!is_alive) update_time();
  const std::uint64_t first_iteration = iteration_;
  const bool initial_timers = !is_mutant(Mutant::no_initial_timers) &&
                              (mode == RunMode::until_idle || is_mutant(Mutant::once_runs_initial_timers));
  if (initial_timers && is_alive && !stop_requested_) {
    update_time();
    run_timers();
  }
  while (is_alive && !stop_requested_) {
    run_iteration(mode);
    is_alive = alive();
    if (is_mutant(Mutant::liveness_before_timers)) is_alive = alive_before_timers;
    if (mode != RunMode::until_idle) break;
  }
  stop_requested_ = is_mutant(Mutant::stop_ends_two_runs) && stop_requested_ && iteration_ > first_iteration;
  halted_ = false;
  observed_ = drain_hook_ || trace_;
  backend_->flush();
  enter(Phase::outside);
  running_ = false;
  return is_alive;
}

inline void Loop::run_iteration(RunMode mode) {
  ++iteration_;
  if (trace_) [[unlikely]]
    trace_->append(make_record(Event::iteration, Kind::none, {}));
  // Sampled before pending runs: completions delivered there are the progress run(once) promises.
  const bool may_wait =
      mode == RunMode::until_idle || is_mutant(Mutant::nowait_waits) ||
      (mode == RunMode::once && pending_.empty() && idle_.empty() && !is_mutant(Mutant::once_does_not_wait));
  // Most turns find most phases empty, and pass them by; but a trace records that they were entered.
  const auto run_all = [&](Phase phase, IntrusiveList<Watcher>& watchers) {
    if (!watchers.empty() || observed_) run_watchers(phase, watchers);
  };
  const auto close_all = [&] {
    const bool is_put_off = is_mutant(Mutant::closing_put_off_a_turn) && iteration_ % 2 == 1;
    if (is_put_off) return enter(Phase::closing);
    if (!closing_.empty() || observed_) run_closing();
  };
  const auto fire_all = [&] {
    if (!is_mutant(Mutant::timers_without_clock)) update_time();
    if (!timers_.empty() || observed_) run_timers();
  };
  if (!pending_.empty() || observed_) run_pending();
  if (!is_mutant(Mutant::idle_after_poll)) run_all(Phase::idle, idle_);
  run_all(Phase::prepare, prepare_);
  if (is_mutant(Mutant::check_before_poll)) run_all(Phase::check, check_);
  run_poll(may_wait);
  if (is_mutant(Mutant::idle_after_poll)) run_all(Phase::idle, idle_);
  for (int round = 0; round < kExtraPendingRounds && !pending_.empty(); ++round) run_pending();
  if (is_mutant(Mutant::closing_before_check)) close_all();
  if (is_mutant(Mutant::timers_before_check)) fire_all();
  if (!is_mutant(Mutant::check_before_poll)) run_all(Phase::check, check_);
  if (!is_mutant(Mutant::closing_before_check)) close_all();
  if (is_mutant(Mutant::liveness_before_timers)) alive_before_timers = alive();
  if (!is_mutant(Mutant::timers_before_check)) fire_all();
  if (is_mutant(Mutant::once_runs_timers_twice) && mode == RunMode::once) fire_all();
}

// Runs what is pending now; what these callbacks complete waits for the next round.
void Loop::run_pending() {
  enter(Phase::pending);
  if (!pending_.empty()) backend_->flush_writes();
  IntrusiveList<Deferred, PendingTag> round;
  round.splice_back(pending_);
  while (!round.empty()) round.pop_front().deliver_pending();
}

inline void Loop::run_poll(bool may_wait) {
  enter(Phase::poll);
  backend_->poll(may_wait ? poll_timeout() : Nanos{0});
}

Nanos Loop::poll_timeout() const {
  const bool has_work_elsewhere = (stop_requested_ && !is_mutant(Mutant::poll_waits_after_stop)) ||
                                  (!pending_.empty() && !is_mutant(Mutant::poll_waits_before_completions)) ||
                                  (!idle_.empty() && !is_mutant(Mutant::poll_waits_beside_idle)) ||
                                  (!closing_.empty() && !is_mutant(Mutant::poll_waits_while_closing));
  if (has_work_elsewhere || (active_handles_ == 0 && active_requests_ == 0)) return Nanos{0};
  if (timers_.empty()) return Nanos{-1};
  const Nanos next = timers_.next_due() - Nanos{is_mutant(Mutant::timer_early) ? 2'000'000 : 0};
  return next > now_ ? next - now_ : Nanos{0};
}

void Loop::close_handle(Handle& handle) {
  handle.close_tag_ = {0, handle.tag_.label};
  if (handle.kind_ != Kind::none) trace_schedule(Kind::close, handle.close_tag_);
  if (is_mutant(Mutant::close_callback_synchronous)) {
    finish_handle(handle);
    return;
  }
  if (is_mutant(Mutant::close_callbacks_newest_first))
    closing_.push_front(handle);
  else
    closing_.push_back(handle);
}

// A handle closed by a close callback gets its own in the next iteration.
void Loop::run_closing() {
  enter(Phase::closing);
  IntrusiveList<Handle, ClosingTag> batch;
  batch.splice_back(closing_);
  while (!batch.empty()) {
    Handle& handle = batch.pop_front();
    if (simulation_ && simulation_->defers_close()) [[unlikely]]
      closing_.push_back(handle);
    else
      finish_handle(handle);
  }
}

void Loop::finish_handle(Handle& handle) {
  if (!is_mutant(Mutant::close_callback_before_requests)) handle.finish_close();
  handle.closed_ = true;
  const Handle::CloseCallback callback = handle.on_close_;
  const Kind kind = handle.kind_ == Kind::none ? Kind::none : Kind::close;
  invoke(kind, handle.close_tag_, [&] {
    if (callback) callback(handle);
  });
  if (is_mutant(Mutant::close_callback_before_requests)) handle.finish_close();
}

Trace& Loop::start_trace(std::size_t records) {
  trace_ = std::make_unique<Trace>(records);
  observed_ = true;
  return *trace_;
}

std::unique_ptr<Trace> Loop::stop_trace() {
  observed_ = drain_hook_ != nullptr;
  return std::move(trace_);
}

void Loop::set_drain_hook(DrainHook hook, void* context) {
  assert((!hook || !drain_hook_) && "one layer drains");
  drain_hook_ = hook;
  drain_context_ = context;
  observed_ = hook || trace_;
}

void Loop::drain() {
  if (!drain_hook_ || draining_) return;
  draining_ = true;
  drain_hook_(drain_context_);
  draining_ = false;
}

void Loop::phase_changed() {
  if (is_mutant(Mutant::drain_once_per_phase)) drain();
  if (trace_) trace_->append(make_record(Event::phase, Kind::none, {}));
}

void Loop::begin_callback(Kind kind, const TraceTag& tag, Nanos due) {
  if (!trace_) return;
  TraceRecord record = make_record(Event::begin, kind, tag);
  record.due = due;
  trace_->append(record);
}

void Loop::trace_end(Kind kind, const TraceTag& tag) {
  if (trace_) trace_->append(make_record(Event::end, kind, tag));
}

void Loop::end_callback(Kind kind, const TraceTag& tag) {
  trace_end(kind, tag);
  if (is_mutant(Mutant::drain_once_per_phase)) return;
  if (is_mutant(Mutant::no_drain_after_close) && kind == Kind::close) return;
  drain();
}

void Loop::record_schedule(Kind kind, TraceTag& tag, Nanos due) {
  tag.id = ++last_trace_id_;
  TraceRecord record = make_record(Event::schedule, kind, tag);
  record.due = due;
  trace_->append(record);
}

void Loop::trace_foreign(Event event, Kind kind, const TraceTag& tag, Nanos time, std::int32_t thread) {
  if (!trace_) return;
  TraceRecord record = make_record(event, kind, tag);
  record.time = time;
  record.thread = thread;
  trace_->append(record);
}

std::int32_t Loop::current_thread() const {
  return simulation_ ? simulation_->current_thread() : current_thread_id();
}

TraceRecord Loop::make_record(Event event, Kind kind, const TraceTag& tag) const {
  return {.time = read_clock(),
          .loop_now = now_,
          .id = tag.id,
          .iteration = iteration_,
          .thread = current_thread(),
          .label = tag.label,
          .event = event,
          .phase = phase_,
          .kind = kind};
}

}  // namespace refloop
