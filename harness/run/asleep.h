#pragma once
// Whether a subject is at rest. A subject that asks for more input as soon as it has answered finds the next
// request there or not, as the race goes, and takes one system call more or less; asked only when all its
// threads sleep, it never does.

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "harness/base/time.h"

namespace tickmark::run {

/// The processes under `root` as they are when this is made: make it when the subject is ready. Threads may
/// come and go.
class Asleep {
 public:
  /// So long a subject may take to come to rest, and so often it may fail to before it is no longer waited
  /// for: one that spins never does.
  static constexpr Nanos kPatience = 1s;
  static constexpr int kFailuresMax = 3;

  explicit Asleep(pid_t root);

  /// Every thread sleeps, seen twice in a row: while one is looked at another may wake a third. True for
  /// processes that are gone.
  bool at_rest() const;
  /// Until at_rest(), or patience is at its end. Whether it is at rest.
  bool wait(Nanos patience = kPatience);

 private:
  bool look() const;

  std::vector<std::string> task_folders_;  ///< "/proc/7/task"
  int failures_ = 0;
};

}  // namespace tickmark::run
