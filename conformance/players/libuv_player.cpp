#include "conformance/players/libuv_player.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "conformance/players/libuv_live_sockets.h"
#include "conformance/players/libuv_machine.h"
#include "conformance/players/player.h"

namespace tickmark::conformance::libuv {

int play(const subject::PlayRequest& request) {
  const auto file = read_scenario_file(request.scenarios);
  if (!file) {
    std::fprintf(stderr, "%s\n", file.error().message.c_str());
    return 2;
  }
  if (file->is_background || (!request.serve.empty() && request.serve != "sockets")) {
    std::fprintf(
        stderr,
        "libuv writes no trace of its own: a background program can be judged on the reference loop only\n");
    return 2;
  }
  // Read once, when the pool is first used; before that the environment is all libuv offers.
  setenv("UV_THREADPOOL_SIZE", std::to_string(file->pool).c_str(), 1);
  uv_loop_t* shared = nullptr;
  if (!request.serve.empty()) {
    static auto* const sockets = new UvLiveSockets();  // for its clients, who stay until the process ends
    if (const auto served = sockets->serve(file->connections); !served) {
      std::fprintf(stderr, "%s\n", served.error().message.c_str());
      return 3;
    }
    shared = &sockets->loop();
  }
  const PlayerTraits traits{
      .name = "libuv", .lacks = UvMachine::lacks, .make_machine = [shared](Recorder& recorder) {
        return std::make_unique<UvMachine>(recorder, shared);
      }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::libuv
