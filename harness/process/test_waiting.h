#pragma once
// For tests that wait for what other processes do: for a condition, not for a time.

#include <algorithm>
#include <functional>
#include <unistd.h>

#include "harness/base/time.h"
#include "harness/process/process_tree.h"

namespace tickmark::process {

/// The bound only ends a broken test.
inline bool eventually(const std::function<bool()>& condition) {
  for (const Nanos deadline = now() + 60s; now() < deadline; ::usleep(2'000)) {
    if (condition()) return true;
  }
  return condition();
}

/// A zombie is gone: it holds nothing, and its new parent may be slow to wait.
inline bool gone(pid_t pid) {
  const auto stat = read_process_stat(pid);
  return !stat || stat->state == 'Z';
}

}  // namespace tickmark::process
