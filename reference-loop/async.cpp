#include "reference-loop/async.h"

#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include "reference-loop/pool.h"
#include "reference-loop/simulation.h"
#include "reference-loop/sys.h"

namespace refloop {
namespace {

// Of one mutant: counts one more send, or gives those since the last callback.
[[maybe_unused]] unsigned count_sends(const Async& async, bool take) {
  static std::mutex mutex;
  static std::unordered_map<const Async*, unsigned> counts;
  const std::lock_guard lock(mutex);
  return take ? std::exchange(counts[&async], 0u) : ++counts[&async];
}

}  // namespace

Async::Async(Loop& loop, Callback callback) : Async(loop, Kind::async) {
  callback_ = callback;
  activate();
}

Async::Async(Loop& loop, Kind kind) : Handle(loop, kind) {
  loop.waker_->add(*this);
  if (is_mutant(Mutant::async_callback_per_send)) count_sends(*this, true);
}

void Async::woken() {
  if (loop_.tracing()) {
    tag_.id = loop_.next_trace_id();
    loop_.trace_foreign(Event::schedule, kind_, tag_, sent_time_, sent_by_);
  }
  loop_.invoke(kind_, tag_, [this] { callback_(*this); });
  if (is_mutant(Mutant::async_callback_twice) && !is_closing())
    loop_.invoke(kind_, tag_, [this] { callback_(*this); });
}

void Async::send() {
  senders_.fetch_add(1, std::memory_order_acquire);
  if (is_mutant(Mutant::async_callback_per_send)) count_sends(*this, false);
  if (!sent_.exchange(true, std::memory_order_acq_rel)) {
    sent_time_.store(loop_.read_clock(), std::memory_order_relaxed);
    sent_by_.store(loop_.current_thread(), std::memory_order_relaxed);
    loop_.waker_->wake();
  }
  senders_.fetch_sub(1, std::memory_order_release);
}

void Async::begin_close() {
  refloop::ListHook<>::unlink();
  while (senders_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

std::unique_ptr<Waker> Waker::create(Loop& loop, Error& error) {
  std::unique_ptr<Waker> waker(new Waker(loop));
  waker->watch_.waker = waker.get();
  waker->watch_.on_ready = [](FdWatch& watch, std::uint32_t) {
    static_cast<Watch&>(watch).waker->dispatch();
  };
  if (loop.simulation()) {
    loop.simulation()->attach_waker(waker->watch_);
    return waker;
  }
  const int fd = sys::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    error = last_error();
    return nullptr;
  }
  // Edge-triggered: every write is an edge, so the counter never needs to be read (a syscall saved).
  if (auto watched = loop.backend_->watch(waker->watch_, fd, EPOLLIN | EPOLLET); !watched) {
    error = watched.error();
    sys::close(fd);
    return nullptr;
  }
  return waker;
}

Waker::~Waker() {
  const int fd = watch_.fd;
  if (fd < 0) return;
  loop_.backend_->unwatch(watch_);
  sys::close(fd);
}

void Waker::wake() {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  if (loop_.simulation()) [[unlikely]]
    return loop_.simulation()->wake();
  const std::uint64_t one = 1;
  ssize_t written;
  do written = sys::write(watch_.fd, &one, sizeof(one));
  while (written < 0 && errno == EINTR);
  assert(written == sizeof(one) && "the eventfd's counter cannot overflow: it is written once per wake-up");
}

// Flags are cleared before what they announce is looked at: a send during the scan wakes the loop again.
void Waker::dispatch() {
  woken_.exchange(false, std::memory_order_acq_rel);
  loop_.pool_->deliver_completed();
  IntrusiveList<Async> scan;
  scan.splice_back(asyncs_);
  while (!scan.empty()) {
    Async& async = scan.pop_front();
    asyncs_.push_back(async);
    if (is_mutant(Mutant::async_send_in_callback_lost)) {
      if (async.sent_.load()) async.woken();
      async.sent_ = false;
      continue;
    }
    if (is_mutant(Mutant::async_callback_per_send)) {
      const unsigned sends = async.sent_.exchange(false) ? count_sends(async, true) : 0;
      for (unsigned left = sends; left > 0 && !async.is_closing(); --left) async.woken();
      continue;
    }
    if (async.sent_.exchange(false, std::memory_order_acq_rel)) async.woken();
  }
}

}  // namespace refloop
