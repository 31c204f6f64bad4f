// For tests: a loop on the backend under test.
//
// The same test binary runs once per backend: REFLOOP_TEST_BACKEND=epoll (the default), io_uring or
// simulated.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "reference-loop/loop.h"

namespace refloop {

// Ends the process with a sentence if the backend asked for does not exist here: a test that silently ran
// on another one would prove nothing.
inline std::unique_ptr<Loop> make_loop(LoopOptions options = {}) {
  const char* const wanted = std::getenv("REFLOOP_TEST_BACKEND");
  const std::string_view name = wanted ? wanted : "epoll";
  if (name == "io_uring") options.backend = BackendKind::io_uring;
  auto loop = Loop::create(options);
  if (loop && (name == "epoll" || name == "io_uring")) return std::move(*loop);
  std::fprintf(stderr, "REFLOOP_TEST_BACKEND=%s: no such loop here\n", wanted);
  std::exit(77);
}

}  // namespace refloop
