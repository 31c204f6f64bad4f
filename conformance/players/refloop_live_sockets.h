#pragma once
// The workload sockets, a byte-stream echo, served in the very loop that the reference loop's player plays in
// (`play --serve sockets`): the rules under load. Nothing of it keeps the loop alive while runs go on.

#include <memory>

#include "harness/base/error.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"

namespace tickmark::conformance {

class RefloopLiveSockets {
 public:
  explicit RefloopLiveSockets(std::unique_ptr<refloop::Loop> loop);
  ~RefloopLiveSockets() = default;  // never: it lives until the process ends, with its clients
  RefloopLiveSockets(const RefloopLiveSockets&) = delete;
  RefloopLiveSockets& operator=(const RefloopLiveSockets&) = delete;

  /// Says on stdout where it listens, and returns when so many connections are open.
  Expected<void> serve(int connections);
  refloop::Loop& loop() { return *loop_; }

 private:
  void open(refloop::Socket socket);

  std::unique_ptr<refloop::Loop> loop_;
  refloop::Listener listener_;
  int open_ = 0;
};

}  // namespace tickmark::conformance
