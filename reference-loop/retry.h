// Calls that a signal may interrupt before they did anything.
#pragma once

#include <cerrno>

#include "reference-loop/error.h"

namespace refloop {

// The result of `call`, made again as long as it fails with EINTR.
template <typename Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// For calls that say nothing but whether they failed.
template <typename Call>
Result<void> succeed(Call call) {
  if (retry_interrupted(call) != 0) return failure(last_error());
  return {};
}

}  // namespace refloop
