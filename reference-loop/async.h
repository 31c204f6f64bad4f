// Waking the loop from another thread.
//
// k sends before the callback give 1..k callbacks, at least one of them after the last send; what a
// thread wrote before send() is visible in the callback. No order among different Asyncs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Async : public Handle, private ListHook<> {
 public:
  using Callback = void (*)(Async&);

  // Active from here, so it keeps the loop alive unless unref()ed.
  Async(Loop& loop, Callback callback);

  // From any thread, any number of times; not after close() was called. Never blocks for long.
  void send();

 protected:
  // For a handle that other threads wake for reasons of its own: inactive until it says otherwise.
  Async(Loop& loop, Kind kind);

  void begin_close() override;
  // A wake-up, in the poll phase; whatever it calls back goes through Loop::invoke().
  virtual void woken();

 private:
  friend class Waker;
  friend class IntrusiveList<Async>;

  Callback callback_ = nullptr;
  std::atomic<bool> sent_{false};
  std::atomic<int> senders_{0};     // threads inside send(): close() waits for them
  std::atomic<Nanos> sent_time_{};  // of the first send since the last callback, for the trace
  std::atomic<std::int32_t> sent_by_{0};
};

// One eventfd per loop, shared by all its Asyncs and the pool.
class Waker {
 public:
  static std::unique_ptr<Waker> create(Loop& loop, Error& error);
  ~Waker();

  // From any thread. Coalesces: one write per time the loop notices.
  void wake();
  void add(Async& async) { asyncs_.push_back(async); }

 private:
  explicit Waker(Loop& loop) : loop_(loop) {}

  struct Watch : FdWatch {
    Waker* waker = nullptr;
  };

  void dispatch();

  Loop& loop_;
  Watch watch_;
  std::atomic<bool> woken_{false};
  IntrusiveList<Async> asyncs_;
};

}  // namespace refloop
