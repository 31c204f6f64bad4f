#include "conformance/players/live_sockets.h"

#include <cstdio>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tickmark::conformance {

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void say_ready(uint16_t port) {
  fmt::print(R"({{"ready":{{"address":"127.0.0.1","port":{},"pid":{},"workers":1}}}})"
             "\n",
             port, getpid());
  std::fflush(stdout);
}

}  // namespace tickmark::conformance
