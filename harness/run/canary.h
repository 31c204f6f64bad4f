#pragma once
// How fast a core is just now, told by work that never changes. A host that takes a core away in turns, a
// lower clock or a busy sibling make it slower, and nothing else inside a virtual machine says so.

#include <vector>

#include "harness/base/time.h"

namespace tickmark::run {

/// Time of a fixed piece of integer work on `cpu`, the median of several: one interruption does not count.
/// About 20 ms in all. The calling thread is bound to `cpu` afterwards; 0 if it cannot be.
Nanos spin_canary(int cpu);

/// The canaries of one run.
class CanaryLog {
 public:
  void add(Nanos canary) { seen_.push_back(canary); }
  /// The median of those so far; 0 while there are fewer than five, which would judge the first ones by
  /// chance.
  Nanos usual() const;
  /// Their usual spread as a share of that (1.4826 x the median absolute deviation); 0 likewise.
  double spread() const;

 private:
  std::vector<Nanos> seen_;
};

}  // namespace tickmark::run
