#include "reference-loop/pool.h"

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

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    assert(queue_.empty() && "destroyed with work outstanding: run the loop until it is done");
    stopping_ = true;
  }
  work_arrived_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pool::start_threads() {
  // A signal interrupts what it lands on: it shall not be work.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sys::pthread_sigmask(SIG_SETMASK, &all, &before);
  threads_.reserve(size_);
  while (threads_.size() < size_) threads_.emplace_back([this] { work_until_stopped(); });
  sys::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Pool::submit(Work& work, Work::RunFunction run, Work::DoneFunction done) {
  assert(!work.outstanding_ && "submitted twice");
  if (threads_.empty() && !loop_.simulation()) start_threads();
  work.run_ = run;
  work.done_ = done;
  work.error_ = Error::none;
  work.outstanding_ = true;
  ++loop_.active_requests_;
  loop_.trace_schedule(Kind::pool, work.tag_);
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(work);
    queue_size_.fetch_add(1, std::memory_order_relaxed);
    wake = must_wake_another();
  }
  if (wake) work_arrived_.notify_one();
  if (loop_.simulation()) [[unlikely]]
    loop_.simulation()->work_submitted();
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
  if (queue_.empty() && !has_spinner_ && !stopping_) {
    has_spinner_ = true;
    lock.unlock();
    spin_for_work();
    lock.lock();
    has_spinner_ = false;
  }
  while (queue_.empty()) {
    if (stopping_) return nullptr;
    ++waiting_threads_;
    work_arrived_.wait(lock);
    --waiting_threads_;
    wake_in_flight_ = false;
  }
  queue_size_.fetch_sub(1, std::memory_order_relaxed);
  return &queue_.pop_front();
}

// Without waiting: nothing, if there is none. What a virtual thread does.
Work* Pool::take_waiting() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return nullptr;
  queue_size_.fetch_sub(1, std::memory_order_relaxed);
  return &queue_.pop_front();
}

// About a microsecond: what a burst of short works needs to follow one another.
void Pool::spin_for_work() {
  constexpr int kSpins = 100;
  for (int i = 0; i < kSpins && queue_size_.load(std::memory_order_relaxed) == 0; ++i) pause_cpu();
}

// The last touch of `work` by this thread is the push: the loop may hand it back to its owner at once.
void Pool::finish(Work& work) {
  work.finished_time_ = loop_.read_clock();
  work.finished_by_ = loop_.current_thread();
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
    queue_size_.fetch_sub(1, std::memory_order_relaxed);
  }
  if constexpr (is_mutant(Mutant::work_runs_after_cancel)) work.run_(work);
  work.error_ = Error::canceled;
  if constexpr (is_mutant(Mutant::canceled_work_lost)) {
    work.outstanding_ = false;
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
    loop_.trace_foreign(Event::complete, Kind::pool, work.tag_, work.finished_time_, work.finished_by_);
    work.outstanding_ = false;
    --loop_.active_requests_;
    if constexpr (is_mutant(Mutant::pool_completion_twice)) {
      loop_.invoke(Kind::pool, work.tag_, [&] {  // the caller's own memory is not touched twice
        if (work.owned_by_pool_) work.done_(work, work.error_);
      });
    }
    loop_.invoke(Kind::pool, work.tag_, [&] { work.done_(work, work.error_); });
  }
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
                   Label label) {
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
      });
  return *work;
}

}  // namespace refloop
