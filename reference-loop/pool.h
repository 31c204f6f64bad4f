// Worker threads for what blocks or computes, and their way back to the loop.
//
// Order. A free thread starts the oldest work that may start; only slow I/O may have to step aside, see
// WorkClass. So work of one class is started in the order of submission, and with one thread all work is.
// `run` happens on a worker, `done` on the loop thread in the poll phase, in the order workers finished;
// cancelled work counts as finished by its cancel() and so overtakes what still runs. What `run` wrote is
// visible in `done`. With several threads the order of finishing is nobody's promise.
//
// Batches. One wake-up delivers everything that has finished by then, and nothing that finishes or is
// submitted meanwhile: however fast completions come, even those that submit again, the other phases get
// their turn after at most the work that was outstanding when the batch was taken. Finishing is lock-free:
// one push, and a wake-up only for the first of a batch.
//
// Threads. One more is created when work is submitted while all of those there are may be busy, up to
// the size of the pool; none ends before the pool. Sleeping and waking cost far more than short work does,
// so a worker that runs dry looks for more for a few microseconds before it sleeps (one at a time), and at
// most one wake-up is under way: who takes work and leaves some behind wakes the next. No work waits while
// a thread sleeps for longer than that.
//
// Workers block all signals. The pool itself is used on the loop thread only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <pthread.h>
#include <vector>

#include "reference-loop/error.h"
#include "reference-loop/intrusive_list.h"
#include "reference-loop/mutant.h"
#include "reference-loop/time.h"
#include "reference-loop/trace.h"

namespace refloop {

class Loop;

// What work does with its thread.
//
// Slow I/O - name resolution - waits for other machines and may take a minute. At most half of the threads,
// but at least one, run it at a time; while they do, further slow I/O waits and younger work of the other
// classes overtakes it. So files and computation always have threads, unless the pool has only one.
// The other two are started alike; they are told apart for those who read a program.
enum class WorkClass : std::uint8_t { cpu, fast_io, slow_io };

// One piece of work; the caller's memory, until `done` was called. Embed or derive.
class Work : private ListHook<> {
 public:
  using RunFunction = void (*)(Work&);  // on a worker thread
  // On the loop thread: none, canceled, or again (it never ran: the kernel granted no thread at all).
  using DoneFunction = void (*)(Work&, Error error);

  Work() = default;
  // Submitted, and `done` not called yet.
  bool is_outstanding() const { return outstanding_; }
  void set_label(Label label) { tag_.label = label; }

  void* data = nullptr;  // the caller's

 protected:
  ~Work() = default;

 private:
  friend class Pool;
  friend class SimulatedWorkers;
  friend class IntrusiveList<Work>;

  RunFunction run_ = nullptr;
  DoneFunction done_ = nullptr;
  Work* next_finished_ = nullptr;
  TraceTag tag_;
  Nanos finished_time_{};
  std::int32_t finished_by_ = 0;
  Error error_ = Error::none;
  WorkClass class_ = WorkClass::cpu;
  bool outstanding_ = false;
  bool traced_ = false;
  bool stepped_aside_ = false;
  bool counts_as_slow_ = false;  // runs, and takes one of the places of slow I/O

 protected:
  bool owned_by_pool_ = false;  // freed by the last delivery: only such work can be delivered twice safely
};

// Work with two functions and nothing else.
class UserWork : public Work {};

class Pool {
 public:
  Pool(Loop& loop, std::size_t size);
  ~Pool();  // nothing may be outstanding any more

  void submit(Work& work, Work::RunFunction run, Work::DoneFunction done,
              WorkClass work_class = WorkClass::cpu);

  // The convenience: one allocation per call. The reference is for cancel(), and dangles once `done` ran.
  Work& submit(std::move_only_function<void()> run, std::move_only_function<void(Error)> done,
               Label label = 0, WorkClass work_class = WorkClass::cpu);

  // For requests that need no thread: `done` gets `error`, later, as if work had finished now.
  void submit_finished(Work& work, Work::DoneFunction done, Error error = Error::none);

  // For requests that a backend carries out natively: outstanding from here...
  void submit_native(Work& work, Work::DoneFunction done);
  // ...until here, in the poll phase, where `done` is called. On the loop thread.
  void deliver_native(Work& work);

  // Not started yet: it never runs, and `done` gets Error::canceled, later, exactly once.
  // Running or finished: Error::busy, and it completes as if nobody had asked.
  Result<void> cancel(Work& work);

  std::size_t size() const { return size_; }
  std::size_t slow_io_max() const { return slow_io_max_; }
  std::size_t threads() const { return threads_.size(); }  // created so far

 private:
  friend class SimulatedWorkers;  // instead of the threads, in virtual time
  friend class Waker;

  void admit(Work& work, Work::DoneFunction done);
  void start_thread();
  void work_until_stopped();
  Work* take(std::unique_lock<std::mutex>& lock);
  Work* take_waiting();
  Work* pop_startable();
  void release_slow_place(Work& work);
  void spin_for_work();
  bool must_wake_another();
  void stamp(Work& work);
  void finish(Work& work);
  void deliver_completed();
  void deliver(Work& work);

  Loop& loop_;
  const std::size_t size_;
  const std::size_t slow_io_max_;
  std::size_t outstanding_ = 0;  // of the loop thread: submitted, not delivered
  std::mutex mutex_;
  std::condition_variable work_arrived_;
  IntrusiveList<Work> queue_;               // under mutex_; oldest first
  IntrusiveList<Work> stepped_aside_;       // under mutex_; slow I/O older than all of queue_
  std::size_t slow_io_running_ = 0;         // under mutex_
  std::atomic<std::size_t> queue_size_{0};  // written under mutex_
  std::size_t waiting_threads_ = 0;         // under mutex_
  bool wake_in_flight_ = false;             // under mutex_: notified, and not yet arrived
  bool has_spinner_ = false;                // under mutex_
  bool stopping_ = false;                   // under mutex_
  std::atomic<Work*> finished_{nullptr};    // newest first
  std::vector<pthread_t> threads_;
};

}  // namespace refloop
