#include "conformance/players/libuv_player.h"

#include <cstdlib>
#include <string>

#include "conformance/players/libuv_live_sockets.h"
#include "conformance/players/libuv_machine.h"
#include "conformance/players/playable.h"
#include "conformance/players/player.h"

namespace tickmark::conformance::libuv {

int play(const subject::PlayRequest& request) {
  const auto file = read_playable(request, "libuv");
  if (!file) return refuse(file.error());
  // Read once, when the pool is first used; before that the environment is all libuv offers.
  setenv("UV_THREADPOOL_SIZE", std::to_string(file->pool).c_str(), 1);
  uv_loop_t* shared = nullptr;
  if (!request.serve.empty()) {
    static auto* const sockets = new UvLiveSockets();  // for its clients, who stay until the process ends
    if (const auto served = sockets->serve(file->connections); !served) return refuse(served.error());
    shared = &sockets->loop();
  }
  const PlayerTraits traits{
      .name = "libuv", .lacks = UvMachine::lacks, .make_machine = [shared](Recorder& recorder) {
        return std::make_unique<UvMachine>(recorder, shared);
      }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::libuv
