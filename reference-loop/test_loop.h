// For tests: a loop on the backend under test.
//
// The same test binary runs once per backend: REFLOOP_TEST_BACKEND=epoll (the default), io_uring or
// simulated.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/loop.h"

namespace refloop {

inline std::string_view backend_under_test() {
  const char* const wanted = std::getenv("REFLOOP_TEST_BACKEND");
  return wanted ? wanted : "epoll";
}

// Where a test has to GTEST_SKIP(): it needs real threads, or peers that are not of the loop.
inline bool is_simulated() { return backend_under_test() == "simulated"; }

// Ends the process with a sentence if the backend asked for does not exist here: a test that silently ran
// on another one would prove nothing.
inline std::unique_ptr<Loop> make_loop(LoopOptions options = {}) {
  const std::string_view name = backend_under_test();
  if (name == "io_uring") options.backend = BackendKind::io_uring;
  const char* const files = std::getenv("REFLOOP_TEST_FILES");
  if (files && std::string_view(files) == "ring") options.files = FilesOn::ring;
  if (name == "simulated") options.backend = BackendKind::simulated;
  auto loop = Loop::create(options);
  if (loop && (name == "epoll" || name == "io_uring" || name == "simulated")) return std::move(*loop);
  const std::string why(name == "io_uring" ? io_uring_refusal() : "no such loop here");
  std::fprintf(stderr, "REFLOOP_TEST_BACKEND=%s: %s\n", std::string(name).c_str(), why.c_str());
  std::exit(77);
}

}  // namespace refloop
