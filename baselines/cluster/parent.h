#pragma once
// The cluster's parent: makes the workers, keeps the port, hands out connections where it is asked to, and
// sums up.

#include <optional>
#include <sys/types.h>
#include <vector>

#include "harness/base/unique_fd.h"
#include "harness/subject/serve_context.h"
#include "reference-loop/loop.h"

namespace tickmark {

class Parent {
 public:
  explicit Parent(subject::ServeContext& context) : context_(context) {}
  /// Ends the workers' channels, which ends the workers, and waits for them.
  ~Parent();
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  /// Forks `count` workers, which listen on `own_port` or, without one, wait for sockets; returns when all of
  /// them can be reached. A forked worker never returns.
  Expected<void> start_workers(int count, refloop::LoopOptions options, std::optional<uint16_t> own_port);

  /// Waits until `stop` is readable. Error: a worker died.
  Expected<void> wait(int stop);
  /// The same, while accepting on `listener` and giving each connection to the next worker in turn.
  Expected<void> hand_out(int stop, int listener);

  /// Stops the workers and adds up what they counted.
  subject::Final stop_workers();

 private:
  struct Worker {
    pid_t pid = -1;
    UniqueFd channel;
  };

  Expected<void> wait_for_any(int stop, int listener, bool& stopped);

  subject::ServeContext& context_;
  std::vector<Worker> workers_;
};

}  // namespace tickmark
