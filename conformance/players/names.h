#pragma once
// Names whose resolution takes as long as a scenario wants: a program that links this has a getaddrinfo() of
// its own, which knows them and leaves all others to the C library's.

#include <functional>
#include <string>

#include "harness/base/time.h"

namespace tickmark::conformance {

struct SlowName {
  Nanos takes{0};
  std::function<void()> answered;  ///< on the thread that asks, when the answer is there
  std::function<void(Nanos)>
      pass_time{};  ///< in a world of another clock; then answer_names() hurries nobody
};

/// A fresh name: resolves to 127.0.0.1, once, after that time or at answer_names().
std::string slow_name(SlowName name);

/// Every name made until now is answered at once. Any thread.
void answer_names();

/// Whether shared libraries of this program call its getaddrinfo(): in a module that another program loads,
/// they do not.
bool names_are_ours();

}  // namespace tickmark::conformance
