#include "reference-loop/pool.h"

#include <algorithm>
#include <cassert>
#include <pthread.h>
#include <signal.h>

#include "reference-loop/async.h"
#include "reference-loop/loop.h"
#include "reference-loop/simulation.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// Tells the CPU that this is a spin loop, where it can be told.
inline void pause_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Pool::Pool(Loop& loop, std::size_t size)
    : loop_(loop), size_(size), slow_io_max_(std::max<std::size_t>(size / 2, 1)) {}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    assert(outstanding_ == 0 && "destroyed with work outstanding: run the loop until it is done");
    stopping_ = true;
  }
  work_arrived_.notify_all();
  for (const pthread_t thread : threads_) sys::pthread_join(thread, nullptr);
}

// Without a new thread, those there are must do.
void Pool::start_thread() {
  // A signal interrupts what it lands on: it shall not be work.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sys::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  void* (*const main)(void*) = [](void* self) -> void* {
    static_cast<Pool*>(self)->work_until_stopped();
    return nullptr;
  };
  if (sys::pthread_create(&thread, nullptr, main, this) == 0) threads_.push_back(thread);
  sys::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Pool::admit(Work& work, Work::DoneFunction done) {
  assert(!work.outstanding_ && "submitted twice");
  work.done_ = done;
  work.error_ = Error::none;
  work.outstanding_ = true;
  work.traced_ = loop_.tracing();
  work.stepped_aside_ = false;
  ++outstanding_;
  ++loop_.active_requests_;
  loop_.trace_schedule(Kind::pool, work.tag_);
}

void Pool::submit(Work& work, Work::RunFunction run, Work::DoneFunction done, WorkClass work_class) {
  admit(work, done);
  work.run_ = run;
  work.class_ = work_class;
  const bool is_virtual = loop_.simulation() != nullptr;
  if (!is_virtual && threads_.size() < size_ && threads_.size() < outstanding_) start_thread();
  if (!is_virtual && threads_.empty()) {
    work.error_ = Error::again;
    return finish(work);
  }
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    if (is_mutant(Mutant::pool_starts_youngest_first))
      queue_.push_front(work);
    else
      queue_.push_back(work);
    queue_size_.fetch_add(1, std::memory_order_relaxed);
    wake = must_wake_another();
  }
  if (wake) work_arrived_.notify_one();
  if (is_virtual) [[unlikely]]
    loop_.simulation()->work_submitted();
}

void Pool::submit_finished(Work& work, Work::DoneFunction done, Error error) {
  admit(work, done);
  work.error_ = error;
  finish(work);
}

void Pool::submit_native(Work& work, Work::DoneFunction done) { admit(work, done); }

void Pool::deliver_native(Work& work) {
  stamp(work);
  deliver(work);
}

// Under the lock. The spinner will take one; beyond that a sleeper is needed, woken one at a time.
bool Pool::must_wake_another() {
  const std::size_t unattended = queue_size_.load(std::memory_order_relaxed);
  if (waiting_threads_ == 0 || wake_in_flight_ || unattended <= (has_spinner_ ? 1u : 0u)) return false;
  wake_in_flight_ = true;
  return true;
}

void Pool::work_until_stopped() {
  std::unique_lock lock(mutex_);
  while (Work* work = take(lock)) {
    const bool wake = must_wake_another();
    lock.unlock();
    if (wake) work_arrived_.notify_one();
    work->run_(*work);
    finish(*work);
    lock.lock();
  }
}

// The next work, or nothing when the pool stops.
Work* Pool::take(std::unique_lock<std::mutex>& lock) {
  Work* work = pop_startable();
  if (!work && !has_spinner_ && !stopping_) {
    has_spinner_ = true;
    lock.unlock();
    spin_for_work();
    lock.lock();
    has_spinner_ = false;
    work = pop_startable();
  }
  while (!work && !stopping_) {
    ++waiting_threads_;
    work_arrived_.wait(lock);
    --waiting_threads_;
    wake_in_flight_ = false;
    work = pop_startable();
  }
  return work;
}

// Under the lock: the oldest work that may start. Slow I/O that may not makes way for what is behind it.
Work* Pool::pop_startable() {
  const bool slow_may_start = slow_io_running_ < slow_io_max_ || is_mutant(Mutant::slow_io_takes_all_threads);
  if (slow_may_start && !stepped_aside_.empty()) {
    ++slow_io_running_;
    Work& work = stepped_aside_.pop_front();
    work.counts_as_slow_ = true;
    return &work;
  }
  while (!queue_.empty()) {
    Work& work = queue_.pop_front();
    queue_size_.fetch_sub(1, std::memory_order_relaxed);
    const bool is_slow = work.class_ == WorkClass::slow_io;
    if (is_slow && !slow_may_start) {
      work.stepped_aside_ = true;
      stepped_aside_.push_back(work);
      continue;
    }
    work.counts_as_slow_ = is_slow;
    slow_io_running_ += is_slow;
    return &work;
  }
  return nullptr;
}

// Whoever finishes it looks for work next, and finds what stepped aside.
void Pool::release_slow_place(Work& work) {
  const std::lock_guard lock(mutex_);
  --slow_io_running_;
  work.counts_as_slow_ = false;
}

// Without waiting: nothing, if there is none. What a virtual thread does.
Work* Pool::take_waiting() {
  const std::lock_guard lock(mutex_);
  return pop_startable();
}

// About a microsecond: what a burst of short works needs to follow one another.
void Pool::spin_for_work() {
  constexpr int kSpins = 100;
  for (int i = 0; i < kSpins && queue_size_.load(std::memory_order_relaxed) == 0; ++i) pause_cpu();
}

void Pool::stamp(Work& work) {
  if (!work.traced_) return;
  work.finished_time_ = loop_.read_clock();
  work.finished_by_ = loop_.current_thread();
}

// The last touch of `work` by this thread is the push: the loop may hand it back to its owner at once.
void Pool::finish(Work& work) {
  if (work.counts_as_slow_) release_slow_place(work);
  stamp(work);
  if (is_mutant(Mutant::completion_on_worker) && work.run_ && work.error_ == Error::none) {
    deliver(work);
    return loop_.waker_->wake();
  }
  Work* head = finished_.load(std::memory_order_relaxed);
  do {
    work.next_finished_ = head;
  } while (
      !finished_.compare_exchange_weak(head, &work, std::memory_order_release, std::memory_order_relaxed));
  if (!head) loop_.waker_->wake();
}

Result<void> Pool::cancel(Work& work) {
  if (!work.outstanding_) return failure(Error::busy);
  if (loop_.simulation()) loop_.simulation()->catch_up_for_cancel();
  {
    const std::lock_guard lock(mutex_);
    if (!work.refloop::ListHook<>::is_linked()) return failure(Error::busy);
    work.refloop::ListHook<>::unlink();
    if (!work.stepped_aside_) queue_size_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (is_mutant(Mutant::work_runs_after_cancel)) work.run_(work);
  work.error_ = Error::canceled;
  if (is_mutant(Mutant::canceled_work_lost)) {
    work.outstanding_ = false;
    --outstanding_;
    --loop_.active_requests_;
    return {};
  }
  finish(work);
  return {};
}

void Pool::deliver_completed() {
  Work* newest_first = finished_.exchange(nullptr, std::memory_order_acquire);
  Work* oldest_first = nullptr;
  while (newest_first) {
    Work* next = newest_first->next_finished_;
    newest_first->next_finished_ = oldest_first;
    oldest_first = newest_first;
    newest_first = next;
  }
  while (oldest_first) {
    Work& work = *oldest_first;
    oldest_first = work.next_finished_;
    deliver(work);
    while (is_mutant(Mutant::pool_reports_one_per_turn) && oldest_first) {
      Work& later = *oldest_first;
      oldest_first = later.next_finished_;
      finish(later);
    }
  }
  if (is_mutant(Mutant::pool_batch_goes_on) && finished_.load()) deliver_completed();
}

void Pool::deliver(Work& work) {
  if (work.traced_)
    loop_.trace_foreign(Event::complete, Kind::pool, work.tag_, work.finished_time_, work.finished_by_);
  work.outstanding_ = false;
  --outstanding_;
  --loop_.active_requests_;
  if (is_mutant(Mutant::pool_completion_twice)) {
    loop_.invoke(Kind::pool, work.tag_, [&] {  // the caller's own memory is not touched twice
      if (work.owned_by_pool_) work.done_(work, work.error_);
    });
  }
  if (is_mutant(Mutant::no_drain_after_pool))
    return loop_.trace_callback(Kind::pool, work.tag_, [&] { work.done_(work, work.error_); });
  loop_.invoke(Kind::pool, work.tag_, [&] { work.done_(work, work.error_); });
}

namespace {

struct OwnedWork : Work {
  OwnedWork() { owned_by_pool_ = true; }
  int deliveries_left = is_mutant(Mutant::pool_completion_twice) ? 2 : 1;
  std::move_only_function<void()> run;
  std::move_only_function<void(Error)> done;
};

}  // namespace

Work& Pool::submit(std::move_only_function<void()> run, std::move_only_function<void(Error)> done,
                   Label label, WorkClass work_class) {
  auto* work = new OwnedWork;
  work->run = std::move(run);
  work->done = std::move(done);
  work->set_label(label);
  submit(
      *work, [](Work& self) { static_cast<OwnedWork&>(self).run(); },
      [](Work& self, Error error) {
        auto& owned = static_cast<OwnedWork&>(self);
        if (--owned.deliveries_left > 0) {
          if (owned.done) owned.done(error);
          return;
        }
        auto callback = std::move(owned.done);
        delete &owned;
        if (callback) callback(error);
      },
      work_class);
  return *work;
}

}  // namespace refloop
