#pragma once
// Every order in which the callbacks of a small program may come: all runs of the reference loop in virtual
// time in which each choice of the world - what is ready in which turn, and where time passes - is made every
// way.

#include <set>

#include "conformance/programs/run.h"

namespace tickmark::programs {

using Order = std::vector<Step>;

struct Orders {
  std::set<Order> all;
  uint64_t runs = 0;
  bool complete = false;  ///< false: given up after `runs_most`
};

Orders all_orders(const Program& program, uint64_t runs_most);

/// Which of the `wanted` come, too: the stalls above are of a few lengths, these of any, drawn at random.
std::set<Order> found_at_random(const Program& program, std::set<Order> wanted, uint64_t runs_most);

}  // namespace tickmark::programs
