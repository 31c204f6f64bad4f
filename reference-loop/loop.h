// The reference event loop: what one turn of a loop is, small enough to be read as its definition.
//
//   run(default) first, if alive:  timers
//   then, while alive and not stopped, one iteration:
//
//     pending   completions of writes, connects and shutdowns
//     idle      every Idle handle; one that is active keeps poll from waiting
//     prepare   every Prepare handle
//     poll      waits for and delivers one batch of I/O: accepts, reads, pool completions, wake-ups
//     pending   again, at most 8 times, for what poll and pending callbacks completed
//     check     every Check handle
//     closing   close callbacks, after the cancelled requests of their handles
//     timers    the clock is read, then every timer due now; one started meanwhile waits for the next turn
//
// run(once) waits for I/O once and makes one iteration; run(nowait) never waits. Liveness (a referenced
// active handle, an outstanding request, a pending completion, a closing handle) is sampled at the end
// of the iteration. Callbacks never overlap, and none runs inside the call that asked for it.
//
// An echo server:
//
//   auto loop = refloop::Loop::create().value();
//   refloop::Listener listener(*loop);
//   listener.listen(refloop::Address::parse("127.0.0.1", 7000).value(), {},
//       [](refloop::Listener& from, refloop::Socket socket) {
//         auto* tcp = new refloop::Tcp(from.loop());
//         tcp->adopt(std::move(socket));
//         tcp->read_start(
//             [](refloop::Stream& t, refloop::Bytes bytes) { t.send(bytes); },
//             [](refloop::Stream& t, refloop::Error) {
//               t.close([](refloop::Handle& h) { delete static_cast<refloop::Tcp*>(&h); });
//             });
//       });
//   loop->run();
//
// One thread owns a loop and everything in it; other threads may only call Async::send().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "reference-loop/error.h"
#include "reference-loop/handle.h"
#include "reference-loop/intrusive_list.h"
#include "reference-loop/mutant.h"
#include "reference-loop/page_buffer.h"
#include "reference-loop/time.h"
#include "reference-loop/timer_heap.h"
#include "reference-loop/trace.h"

namespace refloop {

class Async;
class Backend;
class Pool;
class SignalHub;
class Simulation;
class Waker;
class Watcher;

using Bytes = std::span<const std::byte>;

enum class BackendKind : std::uint8_t {
  epoll,
  io_uring,   // Linux 6.12; Error::not_supported where the kernel refuses: io_uring_refusal() says why
  automatic,  // io_uring where the kernel allows it, else epoll: backend_kind() says which
  simulated,  // virtual time: simulation.h
};
enum class RunMode : std::uint8_t { until_idle, once, nowait };  // libuv: DEFAULT, ONCE, NOWAIT

// Who carries out file operations. `ring`: the io_uring backend, those it can; the pool the others, and all
// of them on another backend.
enum class FilesOn : std::uint8_t { pool, ring };

struct LoopOptions {
  BackendKind backend = BackendKind::epoll;
  FilesOn files = FilesOn::pool;
  std::size_t pool_size = 4;         // worker threads, 1..1024; started when the first work is submitted
  Simulation* simulation = nullptr;  // of a simulated loop, which it outlives; null: a fresh one, seed 1
};

// A completion that is delivered in the next pending round: nothing calls back before it returned.
struct PendingTag {};
class Deferred : public ListHook<PendingTag> {
 public:
  virtual void deliver_pending() = 0;

 protected:
  ~Deferred() = default;
};

class Loop {
 public:
  // Error::not_supported for a backend that the kernel refuses; Error::bad_state for a pool size out of
  // range; otherwise what the kernel said (EMFILE, ENOMEM).
  static Result<std::unique_ptr<Loop>> create(LoopOptions options = {});
  // Every handle that must be closed has been closed and its close callback has run.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns the loop. True: still alive (stopped, or a mode that makes one iteration). Not re-entrant.
  bool run(RunMode mode = RunMode::until_idle);
  // The current iteration is finished, the next does not start. Before run(): run() calls back nothing.
  void stop() { stop_requested_ = true; }
  // As stop(), and no callback begins until run() has returned: what it had to tell is lost. For a layer
  // that ends the process from within a callback.
  void halt() { stop_requested_ = halted_ = observed_ = true; }
  bool alive() const;

  // The cached clock: constant within a phase unless update_time() is called. Never decreases.
  Nanos now() const { return now_; }
  void update_time() {
    if (const Nanos time = read_clock(); time > now_) now_ = time;
  }
  // The clock itself, about 30 ns: CLOCK_MONOTONIC, or the virtual one.
  Nanos read_clock() const { return virtual_now_ ? *virtual_now_ : refloop::read_clock(); }
  Simulation* simulation() const { return simulation_; }

  Phase phase() const { return phase_; }
  std::uint64_t iteration() const { return iteration_; }  // 1 is the first
  // How long the poll phase would wait now: 0 not at all, negative for ever.
  Nanos poll_timeout() const;
  Pool& pool() { return *pool_; }
  // `automatic` has become what it chose.
  BackendKind backend_kind() const { return options_.backend; }
  const LoopOptions& options() const { return options_; }

  // Tracing: on from here, into a buffer preallocated for `records`. Not inside a callback.
  Trace& start_trace(std::size_t records = 64 * 1024);
  // Off again; the caller keeps the records.
  std::unique_ptr<Trace> stop_trace();
  bool tracing() const { return trace_ != nullptr; }

  // Runs after each callback of the loop: how a layer above (node_layer.h) drains its queues. One layer.
  using DrainHook = void (*)(void* context);
  void set_drain_hook(DrainHook hook, void* context);

  // The one funnel of callbacks. For layers that add their own kinds of callbacks, and for run-once
  // main functions; handles use it through their own types.
  template <typename Callback>
  void invoke(Kind kind, const TraceTag& tag, Callback&& callback, Nanos due = kNoDue) {
    if (!observed_) [[likely]] {
      callback();
      return;
    }
    if (kind == Kind::none) {
      callback();
      return;
    }
    if (halted_) return;
    const TraceTag copy = tag;  // the callback may destroy what the tag lives in
    begin_callback(kind, copy, due);
    callback();
    end_callback(kind, copy);
  }
  // The same for a layer that drains by itself: nothing follows the callback.
  template <typename Callback>
  void trace_callback(Kind kind, const TraceTag& tag, Callback&& callback, Nanos due = kNoDue) {
    if (!trace_ || kind == Kind::none) [[likely]] {
      callback();
      return;
    }
    const TraceTag copy = tag;
    begin_callback(kind, copy, due);
    callback();
    trace_end(kind, copy);
  }
  // A new submission: gives it the next id and records when it was asked for.
  void trace_schedule(Kind kind, TraceTag& tag, Nanos due = kNoDue) {
    if (trace_) [[unlikely]]
      record_schedule(kind, tag, due);
  }
  std::uint64_t next_trace_id() { return ++last_trace_id_; }
  // What another thread did to a submission, reported on the loop thread.
  void trace_foreign(Event event, Kind kind, const TraceTag& tag, Nanos time, std::int32_t thread);
  // Kernel id of the calling thread; in virtual time that of the virtual one.
  std::int32_t current_thread() const;

 private:
  friend class Async;
  friend class FsRequest;
  friend class Handle;
  friend class IoUringBackend;
  friend class Listener;
  friend class Poll;
  friend class Pool;
  friend class Process;
  friend class ReadinessBackend;
  friend class Signal;
  friend class SignalHub;
  friend class SimulatedBackend;
  friend class SimulatedEnd;
  friend class Stream;
  friend class Timer;
  friend class TlsStream;
  friend class Udp;
  friend class Waker;
  friend class Watcher;

  explicit Loop(LoopOptions options);
  Error make_backend();

  inline void run_iteration(RunMode mode);
  void run_pending();
  void run_watchers(Phase phase, IntrusiveList<Watcher>& watchers);
  inline void run_poll(bool may_wait);
  void run_closing();
  void run_timers();
  void close_handle(Handle& handle);
  void finish_handle(Handle& handle);
  void defer(Deferred& completion) {
    if (!completion.is_linked()) pending_.push_back(completion);
  }

  void enter(Phase phase) {
    phase_ = phase;
    if (observed_) [[unlikely]]
      phase_changed();
  }
  void phase_changed();
  void begin_callback(Kind kind, const TraceTag& tag, Nanos due);
  void trace_end(Kind kind, const TraceTag& tag);
  void end_callback(Kind kind, const TraceTag& tag);
  void drain();
  void record_schedule(Kind kind, TraceTag& tag, Nanos due);
  TraceRecord make_record(Event event, Kind kind, const TraceTag& tag) const;

  LoopOptions options_;
  const Nanos* virtual_now_ = nullptr;  // of the simulation; null: time is real
  Simulation* simulation_ = nullptr;
  std::unique_ptr<Simulation> own_simulation_;
  Nanos now_{};
  std::uint64_t iteration_ = 0;
  Phase phase_ = Phase::outside;
  bool stop_requested_ = false;
  bool halted_ = false;
  bool running_ = false;
  bool observed_ = false;  // tracing, draining or halted: the one branch every callback pays
  bool draining_ = false;

  std::size_t active_handles_ = 0;  // active and referenced
  std::size_t active_requests_ = 0;
  IntrusiveList<Deferred, PendingTag> pending_;
  IntrusiveList<Watcher> idle_;
  IntrusiveList<Watcher> prepare_;
  IntrusiveList<Watcher> check_;
  IntrusiveList<Handle, ClosingTag> closing_;
  TimerHeap timers_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Waker> waker_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<SignalHub> signals_;  // made with the first Signal
  PageBuffer read_buffer_;              // lent to one read callback at a time
  PageBuffer datagram_buffer_;          // lent to one batch of a Udp at a time; made with the first

  std::unique_ptr<Trace> trace_;
  std::uint64_t last_trace_id_ = 0;
  DrainHook drain_hook_ = nullptr;
  void* drain_context_ = nullptr;
};

}  // namespace refloop
