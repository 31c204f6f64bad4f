// One signal as a callback in the poll phase, behind the other events of its batch.
//
// The signal is blocked in the calling thread while the handle is started, and stays blocked for threads
// created meanwhile: start before creating threads of your own (the pool's threads block all signals).
// Signals raised together may be reported once.
#pragma once

#include "reference-loop/backend.h"
#include "reference-loop/handle.h"
#include "reference-loop/loop.h"
#include "reference-loop/socket.h"

namespace refloop {

class Signal : public Handle {
 public:
  using Callback = void (*)(Signal&, int number);

  explicit Signal(Loop& loop) : Handle(loop, Kind::signal) {
    watch_.signal = this;
    watch_.runs_last = true;  // what arrived together with a signal is seen before it
  }
  ~Signal() override = default;

  Result<void> start(int number, Callback callback);
  // Unblocks the signal again: one that is pending then has its default effect.
  void stop();

 private:
  struct Watch : FdWatch {
    Signal* signal = nullptr;
  };

  void begin_close() override { stop(); }
  void dispatch();

  Watch watch_;
  Socket descriptor_;
  Callback callback_ = nullptr;
  int number_ = 0;
};

}  // namespace refloop
