#pragma once
// How tight the acceptor is: what it says of an order in which two neighbours have been exchanged.

#include <map>
#include <string>

#include "conformance/tests/program_figures.h"
#include "conformance/tests/program_orders.h"

namespace tickmark::programs {

/// Against the exhaustive model: of every order of small programs, every exchange of neighbours that no loop
/// makes.
struct Tightness {
  uint64_t programs = 0;
  uint64_t orders = 0;
  uint64_t refused_orders = 0;   ///< of those a loop makes: must be none
  uint64_t found_at_random = 0;  ///< exchanges that were not enumerated, but do come
  uint64_t illegal = 0;          ///< exchanges that are no order of the program
  uint64_t refused = 0;          ///< of these: must be all
  uint64_t runs = 0;
  std::string first_missed{};
};

/// The programs 0 .. of a seed that have at most `callbacks_most` callbacks, until `programs` have been
/// enumerated.
Tightness tightness(uint64_t seed, uint64_t programs, size_t callbacks_most);

/// On traces as they come: exchanges of neighbours of which neither has asked for the other.
struct SwapCount {
  uint64_t swaps = 0;
  uint64_t refused = 0;
};
struct Swaps {
  SwapCount all;
  std::map<std::string, SwapCount> by_pair{};  ///< "timeout, immediate": kinds, in the order they came
};
Swaps swaps(uint64_t seed, uint64_t programs, const Shape& shape);

}  // namespace tickmark::programs
