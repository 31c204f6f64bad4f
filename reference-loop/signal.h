// One signal as a callback in the poll phase, behind the other events of its batch.
//
// Several handles may watch one signal, on one loop and on several in their threads: each is called back, in
// no promised order. Between two callbacks of a handle the signal may have been raised any number of times:
// what was caught before the loop looked is reported once.
//
// While somebody watches a signal, the process's disposition is the loop's handler; the last stop() puts back
// what was there before. The handler runs on whichever thread the kernel picks, notes the number and wakes
// the loops that watch it; the signal mask is nobody's business here.
#pragma once

#include "reference-loop/handle.h"
#include "reference-loop/loop.h"

namespace refloop {

class Signal : public Handle, private ListHook<> {
 public:
  using Callback = void (*)(Signal&, int number);

  explicit Signal(Loop& loop) : Handle(loop, Kind::signal) {}
  ~Signal() override = default;

  // Error::bad_state for a number that is no signal, cannot be caught (SIGKILL, SIGSTOP) or is reserved by
  // the C library, and while started.
  Result<void> start(int number, Callback callback);
  // The same, stopped right before its first callback.
  Result<void> start_once(int number, Callback callback);
  // No callback from here, not even for a signal that was caught but not reported yet: that one is dropped.
  // So is it by close(), which therefore has nothing to wait for: the close callback comes in the closing
  // phase of this iteration. (libuv keeps such a handle until its message was read from a pipe.)
  void stop();

  int number() const { return number_; }  // of the last start

 private:
  friend class SignalHub;
  friend class IntrusiveList<Signal>;

  void begin_close() override { stop(); }
  Result<void> start(int number, Callback callback, bool once);
  void raised();

  Callback callback_ = nullptr;
  int number_ = 0;
  bool once_ = false;
};

}  // namespace refloop
