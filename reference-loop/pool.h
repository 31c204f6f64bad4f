// Worker threads for what blocks or computes, and their way back to the loop.
//
// Work is started in the order of submission, by threads that are created with the first submission.
// Its `run` happens on a worker, its `done` on the loop thread in the poll phase, in the order workers
// finished; everything that finished by then is delivered in one wake-up. Finishing is lock-free: one
// push, and a wake-up only for the first of a batch.
//
// Sleeping and waking cost far more than short work does, so a worker that runs dry looks for more for
// about a microsecond before it sleeps (one at a time), and at most one wake-up is under way: who takes
// work and leaves some behind wakes the next. No work waits while a thread sleeps for longer than that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "reference-loop/error.h"
#include "reference-loop/intrusive_list.h"
#include "reference-loop/mutant.h"
#include "reference-loop/time.h"
#include "reference-loop/trace.h"

namespace refloop {

class Loop;

// One piece of work; the caller's memory, until `done` was called. Embed or derive.
class Work : private ListHook<> {
 public:
  using RunFunction = void (*)(Work&);                // on a worker thread
  using DoneFunction = void (*)(Work&, Error error);  // on the loop thread; none, or canceled

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
  bool outstanding_ = false;

 protected:
  bool owned_by_pool_ = false;  // freed by the last delivery: only such work can be delivered twice safely
};

// Work with two functions and nothing else.
class UserWork : public Work {};

class Pool {
 public:
  Pool(Loop& loop, std::size_t size) : loop_(loop), size_(size) {}
  ~Pool();  // waits for work that is running; nothing may be outstanding any more

  void submit(Work& work, Work::RunFunction run, Work::DoneFunction done);

  // The convenience: one allocation per call. The reference is for cancel(), and dangles once `done` ran.
  Work& submit(std::move_only_function<void()> run, std::move_only_function<void(Error)> done,
               Label label = 0);

  // Not started yet: it never runs, and `done` gets Error::canceled, later, exactly once.
  // Running or finished: Error::busy, and it completes as if nobody had asked.
  Result<void> cancel(Work& work);

  std::size_t size() const { return size_; }

 private:
  friend class SimulatedWorkers;  // instead of the threads, in virtual time
  friend class Waker;

  void start_threads();
  void work_until_stopped();
  Work* take(std::unique_lock<std::mutex>& lock);
  Work* take_waiting();
  void spin_for_work();
  bool must_wake_another();
  void finish(Work& work);
  void deliver_completed();

  Loop& loop_;
  const std::size_t size_;
  std::mutex mutex_;
  std::condition_variable work_arrived_;
  IntrusiveList<Work> queue_;               // under mutex_
  std::atomic<std::size_t> queue_size_{0};  // written under mutex_
  std::size_t waiting_threads_ = 0;         // under mutex_
  bool wake_in_flight_ = false;             // under mutex_: notified, and not yet arrived
  bool has_spinner_ = false;                // under mutex_
  bool stopping_ = false;                   // under mutex_
  std::atomic<Work*> finished_{nullptr};    // newest first
  std::vector<std::thread> threads_;
};

}  // namespace refloop
