#include "conformance/players/refloop_player.h"

#include <cstdio>

#include "conformance/players/player.h"
#include "conformance/players/refloop_machine.h"

namespace tickmark::conformance::reference {

int play(const subject::PlayRequest& request, const StartServer& start_server) {
  const auto file = read_scenario_file(request.scenarios);
  if (!file) {
    std::fprintf(stderr, "%s\n", file.error().message.c_str());
    return 2;
  }
  (void)start_server;
  const PlayerTraits traits{
      .name = "reference_loop",
      .lacks = [](const Step&) { return std::nullopt; },
      .make_machine =
          [&](Recorder& recorder) { return std::make_unique<RefloopMachine>(recorder, file->pool); }};
  return play_scenarios(*file, request.trace, traits);
}

}  // namespace tickmark::conformance::reference
