#pragma once
// Ctrl-C ends the trial, not the record: the first SIGINT or SIGTERM is only noted, a second one acts as
// if nobody had asked (the bundle stays readable even then).

#include <signal.h>

namespace tickmark::run {

/// Notes SIGINT and SIGTERM while it lives. One at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// The signal that came, 0 if none.
  static int caught();

 private:
  struct sigaction old_int_, old_term_;
};

}  // namespace tickmark::run
